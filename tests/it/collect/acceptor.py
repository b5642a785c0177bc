"""A server that takes Windows-integrated sign-in by NTLM, as pyspnego accepts it, and passes what it is asked to another.

Arguments: the address of the other, the domain, name and password of the account, and then --busy to refuse the first
request with 503, or for TLS the certificate and its key.
It prints its port, and then a line for each sign-in that it refuses.
"""

import base64
import os
import socket
import socketserver
import ssl
import sys
import tempfile

import spnego

upstream, domain, name, password, *tls = sys.argv[1:]
busy = ["--busy"] if tls == ["--busy"] else []
tls = [] if busy else tls
users = tempfile.NamedTemporaryFile("w", delete=False, encoding="utf-8")
users.write(f"{domain}:{name}:{password}\n")
users.close()
os.environ["NTLM_USER_FILE"] = users.name


class Handler(socketserver.StreamRequestHandler):
    def handle(self):
        """Signs one connection in, and answers the request that comes with it."""
        context, signs_in = None, "NTLM"
        while head := self.head():
            if busy:
                busy.pop()
                return self.wfile.write(b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            scheme, _, token = head.pop("authorization", "").partition(" ")
            if scheme == "NTLM":
                context = context or spnego.server(protocol="ntlm")
                try:
                    answer = context.step(base64.b64decode(token))
                except spnego.exceptions.SpnegoError:
                    context, answer = None, None
                    print("refused", flush=True)
                signs_in = f"NTLM {base64.b64encode(answer).decode()}" if answer else "NTLM"
            if context and context.complete:
                return self.relay(head)
            # The body of this answer is not for anybody.
            self.wfile.write(
                f"HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: {signs_in}\r\nContent-Length: 2\r\n\r\n{{}}".encode()
            )

    def head(self):
        """The request line and the headers of the next request; empty at the end."""
        head = {}
        while (line := self.rfile.readline().decode().strip()) or head:
            if not line:
                return head
            if head:
                key, _, value = line.partition(":")
                head[key.lower()] = value.strip()
            else:
                head["line"] = line
        return head

    def relay(self, head):
        """Passes a request to the other server, and all that comes back, cut off where it is."""
        host, port = upstream.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port))) as other:
            headers = "Authorization: Bearer the-token\r\nConnection: close\r\n"
            other.sendall(f"{head['line']}\r\nHost: {host}\r\n{headers}\r\n".encode())
            while part := other.recv(65536):
                self.wfile.write(part)


class Server(socketserver.ThreadingTCPServer):
    daemon_threads = True

    def get_request(self):
        request, address = super().get_request()
        if tls:
            context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            context.load_cert_chain(*tls)
            request = context.wrap_socket(request, server_side=True)
        return request, address

    def handle_error(self, request, client_address):
        """A client that goes away is no error."""


server = Server(("127.0.0.1", 0), Handler)
print(server.server_address[1], flush=True)
server.serve_forever()
