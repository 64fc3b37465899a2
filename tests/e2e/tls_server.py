"""A TLS server in a process of its own, so that it does not share an interpreter with what measures it.

Answers after 5 ms, and sends the second half of the body 5 ms after the first. Prints its port; ends with
its standard input.
"""

import socket
import ssl
import sys
import threading
import time

HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 2000\r\n\r\n"
PAUSE_S = 0.005


def serve(connection: socket.socket, tls: ssl.SSLContext) -> None:
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    try:
        with tls.wrap_socket(connection, server_side=True) as stream:
            while request := stream.recv(65536):
                assert request.endswith(b"\r\n\r\n")
                time.sleep(PAUSE_S)
                stream.sendall(HEAD + b"x" * 1000)
                time.sleep(PAUSE_S)
                stream.sendall(b"x" * 1000)
    except OSError:
        pass  # the client is gone


def main(certificate: str) -> None:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate)
    with socket.create_server(("127.0.0.1", 0), backlog=128) as listener:
        print(listener.getsockname()[1], flush=True)

        def accept() -> None:
            while True:
                connection, _ = listener.accept()
                threading.Thread(target=serve, args=(connection, tls), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        sys.stdin.read()


if __name__ == "__main__":
    main(sys.argv[1])
