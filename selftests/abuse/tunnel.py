# SPDX-License-Identifier: GPL-2.0
"""A TCP of our own behind a tun device: peers that no honest kernel is."""

import fcntl
import os
import socket
import struct
import subprocess
import threading

import ktap
from mqttlib import PORT, Failure, LIMIT, now

TUNSETIFF = 0x400454ca
IFF_TUN, IFF_NO_PI = 1, 0x1000
NAME, NETWORK, HERE = "kmqtt-tun", "10.99.0.0/16", "10.99.0.1"
MTU = 65535
FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16
IP, TCP = struct.Struct("!BBHHHBBH4s4s"), struct.Struct("!HHIIBBHHH")
# What a SYN offers: the largest segments there are, windows as they are.
OPTIONS = struct.pack("!BBH", 2, 4, MTU - 40)


def checksum(data):
    if len(data) & 1:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def packet(source, port, seq, ack, flags, window, data=b"", options=b""):
    """An IP packet with a TCP segment from @source to the broker."""
    src, dst = socket.inet_aton(source), socket.inet_aton(HERE)
    length = TCP.size + len(options) + len(data)
    offset = (TCP.size + len(options)) << 2
    fields = [port, PORT, seq, ack, offset, flags, window, 0, 0]
    body = TCP.pack(*fields) + options + data
    fields[7] = checksum(src + dst + struct.pack("!HH", socket.IPPROTO_TCP,
                                                 length) + body)
    head = [0x45, 0, IP.size + length, 0, 0, 64, socket.IPPROTO_TCP, 0, src,
            dst]
    head[7] = checksum(IP.pack(*head))
    return IP.pack(*head) + TCP.pack(*fields) + options + data


class Tunnel:
    """The device; a thread hands what the kernel sends to the peers."""

    def __init__(self):
        subprocess.run(["modprobe", "-q", "tun"], check=False)
        try:
            self.fd = os.open("/dev/net/tun", os.O_RDWR)
            fcntl.ioctl(self.fd, TUNSETIFF, struct.pack(
                "16sH22x", NAME.encode(), IFF_TUN | IFF_NO_PI))
        except OSError as error:
            raise ktap.Skip(f"no tun device here: {error}") from None
        for command in (f"addr add {HERE}/16 dev {NAME}",
                        f"link set {NAME} mtu {MTU} txqueuelen 10000 up"):
            subprocess.run(["ip", *command.split()], check=True)
        self.peers, self.answers = {}, 0
        self.lock = threading.Condition()
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        # Without the device nobody would end them, and who has subscribed goes
        # on to collect what later tests send.
        for peer in list(self.peers.values()):
            if not peer.over:
                peer.reset()
        subprocess.run(["ip", "link", "del", NAME], check=False)
        self.thread.join()
        os.close(self.fd)

    def write(self, data):
        os.write(self.fd, data)

    def run(self):
        while True:
            try:
                data = os.read(self.fd, MTU + 1)
            except OSError:
                return		# the device is gone
            if data[0] == 0x45 and data[9] == socket.IPPROTO_TCP:
                self.take(data)

    def take(self, data):
        to = socket.inet_ntoa(data[16:20])
        segment = TCP.unpack_from(data, IP.size)
        with self.lock:
            self.answers += 1
            peer = self.peers.get((to, segment[1]))
            if peer:
                peer.take(segment, data[IP.size + (segment[4] >> 2):])
                self.lock.notify_all()


class Peer:
    """One TCP connection. It takes @credit bytes and then, until it is given
    more, advertises a window of 0 and answers every probe."""

    def __init__(self, tunnel, address, port, credit):
        self.tunnel, self.address, self.port = tunnel, address, port
        self.seq, self.acked, self.next = 1000, 1000, None
        self.credit, self.data, self.probes = credit, bytearray(), 0
        self.over = False
        with tunnel.lock:
            tunnel.peers[address, port] = self
        self.until(lambda: self.next is not None,
                   lambda: self.segment(SYN, options=OPTIONS))

    def segment(self, flags, data=b"", options=b""):
        window = min(self.credit - len(self.data), 0xffff)
        seq = self.seq if data else self.acked
        self.tunnel.write(packet(self.address, self.port, seq, self.next or 0,
                                 flags, window, data, options))

    def until(self, condition, again):
        """Wait, and do it @again now and then: segments may be lost."""
        end = now() + 4 * LIMIT
        while now() < end:
            again()
            with self.tunnel.lock:
                if self.tunnel.lock.wait_for(condition, 2):
                    return
        raise Failure("the broker's TCP does not answer")

    def take(self, segment, data):
        """Called with the tunnel's lock held."""
        _, _, seq, ack, _, flags, _, _, _ = segment
        if flags & (RST | FIN):
            self.over = True
            return
        self.acked = ack
        if flags & SYN:
            self.next = (seq + 1) & 0xffffffff
            self.seq = ack
        elif seq == self.next:
            data = data[:self.credit - len(self.data)]
            self.data += data
            self.next = (self.next + len(data)) & 0xffffffff
        else:
            self.probes += 1
            data = b"?"
        if data or flags & SYN:
            self.segment(ACK)

    def send(self, data):
        """Returns when it is acknowledged."""
        after = (self.seq + len(data)) & 0xffffffff
        self.until(lambda: self.acked == after or self.over,
                   lambda: self.segment(ACK | PSH, data))
        self.seq = after

    def receive(self, size):
        """Wait for so many bytes in all."""
        self.until(lambda: len(self.data) >= size or self.over,
                   lambda: None)

    def open(self, credit):
        """Room for so many bytes more."""
        with self.tunnel.lock:
            self.credit += credit
            self.segment(ACK)

    def reset(self):
        self.segment(RST | ACK)
