"""A client of the monitor's login by TCP, written from gorgon-monitor(7) and from what Medusa's client does.

    login.py strong PORT USER PASSWORD [replay|truncated|oversized|other-nonce|long-proof|reflected|crowd]
    login.py medusa PORT PASSWORD [padded|upper] LINE..

Prints what came, a line for each thing.
"""
import hashlib, hmac, os, socket, sys

kind, port = sys.argv[1], int(sys.argv[2])
# Those who say who they are, from many addresses, and then nothing more.
crowd = []
for host in range(2, 22) if sys.argv[-1] == "crowd" else []:
    for _ in range(3):
        stalls = socket.create_connection(("127.0.0.1", port), timeout=30, source_address=("127.0.0.%d" % host, 0))
        stalls.recv(200)
        stalls.sendall(b"auth ada " + b"0" * 32 + b"\n")
        assert stalls.recv(200).startswith(b"salt ")
        crowd.append(stalls)
peer = socket.create_connection(("127.0.0.1", port), timeout=30)


def line():
    text = b""
    while not text.endswith(b"\n"):
        byte = peer.recv(1)
        if not byte:
            return text
        text += byte
    return text


def rest():
    text = b""
    try:
        while True:
            piece = peer.recv(4096)
            if not piece:
                return text
            text += piece
    except ConnectionResetError:
        return text


def strong(user, password, how):
    greeting = line().split()
    if greeting[:3] != [b"gorgon-monitor", b"1", b"hmac-sha256"]:
        return print("greeted", b" ".join(greeting).decode())
    server, client = greeting[3], os.urandom(16).hex().encode()
    assert len(server) == 32
    if how == "oversized":
        peer.sendall(b"auth " + b"x" * 1100)
        return print("end", rest().decode().strip())
    peer.sendall(b"auth " + user + b" " + client + b"\n")
    word, salt, iterations = line().split()
    assert word == b"salt"
    key = hashlib.pbkdf2_hmac("sha256", password, bytes.fromhex(salt.decode()), int(iterations), 32)

    def proof(side):
        return hmac.new(key, b"\n".join([side, server, client, user]), hashlib.sha256).hexdigest().encode()

    own = proof(b"client")
    if how == "other-nonce":
        server = b"0" * 32
        own = proof(b"client")
    if how == "truncated":
        own = own[:-2]
    if how == "long-proof":
        own += b"00"
    if how == "reflected":
        own = proof(b"server")
    peer.sendall(b"proof " + own + b"\n")
    answer = line().split()
    if answer[:1] != [b"ok"]:
        return print("end", b" ".join(answer).decode(), rest().decode().strip())
    print("role", answer[1].decode(), "mutual", hmac.compare_digest(answer[2], proof(b"server")))
    peer.sendall(b"hello\nquit\n")
    print(rest().decode().strip())
    if how == "replay":
        again = socket.create_connection(("127.0.0.1", port), timeout=30)
        greeting = again.recv(200)
        again.sendall(b"auth " + user + b" " + client + b"\nproof " + own + b"\n")
        text = b""
        while True:
            piece = again.recv(200)
            if not piece:
                break
            text += piece
        print("replayed", text.splitlines()[-1].decode())


def medusa(password, lines):
    challenge = line()
    assert challenge.endswith(b"\r\n")
    # As monitor_client.py has it: no zero before a byte below 16.
    form = "%02x" if "padded" in lines else "%x"
    digest = "".join(form % byte for byte in hashlib.md5(challenge[:-2] + password).digest())
    digest = digest.upper() if "upper" in lines else digest
    peer.sendall(digest.encode() + b"\r\n")
    for text in lines:
        if text not in ("padded", "upper"):
            peer.sendall(text.encode().decode("unicode_escape").encode("latin-1"))
    print(repr(rest().decode()))


if kind == "strong":
    strong(sys.argv[3].encode(), sys.argv[4].encode(), sys.argv[5] if len(sys.argv) > 5 else "")
else:
    medusa(sys.argv[3].encode(), sys.argv[4:])
