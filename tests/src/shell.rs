//! A client of the debugging protocol for the shell room: Python, with nothing but its own library.

/// Connects to the browser. `connected` and `upgraded` hold the first lines of the two answers.
const CLIENT: &str = r#"
import json, os, socket, struct, urllib.parse, urllib.request

address = os.environ["BATON_CDP_URL"]
socket_address = json.load(urllib.request.urlopen(address + "/json/version"))["webSocketDebuggerUrl"]
host = urllib.parse.urlparse(socket_address).hostname
proxy = urllib.parse.urlparse(os.environ["HTTP_PROXY"])
wire = socket.create_connection((proxy.hostname, proxy.port))

def head():
    text = b""
    while not text.endswith(b"\r\n\r\n"):
        text += wire.recv(1)
    return text.split(b"\r\n")[0].decode()

def take(length):
    taken = b""
    while len(taken) < length:
        taken += wire.recv(length - len(taken))
    return taken

def send(message):
    text = json.dumps(message).encode()
    size = bytes([0x80 | len(text)]) if len(text) < 126 else bytes([0xFE]) + struct.pack(">H", len(text))
    wire.sendall(b"\x81" + size + b"\0\0\0\0" + text)

def receive():
    size = take(2)[1]
    if size > 125:
        size = int.from_bytes(take(2 if size == 126 else 8), "big")
    return json.loads(take(size))

number = 0
def ask(method, params, session=None):
    global number
    number += 1
    send({"id": number, "method": method, "params": params, **({"sessionId": session} if session else {})})
    while True:
        message = receive()
        if message.get("id") == number:
            return message

def attach():
    pages = [info for info in ask("Target.getTargets", {})["result"]["targetInfos"] if info["type"] == "page"]
    return ask("Target.attachToTarget", {"targetId": pages[0]["targetId"], "flatten": True})["result"]["sessionId"]

wire.sendall(f"CONNECT {host}:80 HTTP/1.1\r\nHost: {host}:80\r\n\r\n".encode())
connected = head()
wire.sendall(
    f"GET / HTTP/1.1\r\nHost: {host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n".encode()
)
upgraded = head()
"#;

/// Returns a Python program that connects to the browser and then runs these lines: `attach()` returns the session of the
/// first page, and `ask(method, params, session)` an answer.
pub fn cdp_from_the_shell(lines: &str) -> String {
    format!("{CLIENT}{lines}")
}
