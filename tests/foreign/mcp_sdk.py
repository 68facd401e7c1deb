# The official SDK of the Model Context Protocol: python mcp_sdk.py stdio PROGRAM, or python mcp_sdk.py http ADDRESS TOKEN
import asyncio
import json
import os
import re
import sys

import anyio
import httpx2
from mcp import Client, StdioServerParameters
from mcp.client.streamable_http import streamable_http_client

kind, place, *token = sys.argv[1:]


def server():
    if kind == "stdio":
        return StdioServerParameters(command=place, args=["mcp"], env=dict(os.environ))
    headers = {"Authorization": f"Bearer {token[0]}"}
    return streamable_http_client(place, http_client=httpx2.AsyncClient(headers=headers, timeout=120))


class Steps:
    def __init__(self, client):
        self.client = client

    async def call(self, tool, /, **arguments):
        told = await self.client.call_tool(tool, arguments)
        text = "\n".join(part.text for part in told.content if part.type == "text")
        return {"text": text, "data": told.structured_content, "failed": bool(told.is_error)}

    async def connect(self):
        tools = await self.client.list_tools()
        return {"tools": sorted(tool.name for tool in tools.tools)}

    async def launch(self):
        launched = await self.call("sandbox_launch", name="From Python")
        self.sandbox = launched["data"]["id"]
        return launched["data"]

    async def drive(self):
        await self.call("browser_navigate", sandboxId=self.sandbox, url="http://portal.example/")
        seen = await self.call("browser_snapshot", sandboxId=self.sandbox)
        line = next(line for line in seen["text"].splitlines() if 'link "Invoices"' in line)
        ref = re.search(r"\[ref=(\w+)\]", line)[1]
        clicked = await self.call("browser_click", sandboxId=self.sandbox, ref=ref)
        ran = await self.call("sandbox_run_code", sandboxId=self.sandbox, language="python", code="print(6 * 7)")
        return {"seen": seen["text"], "clicked": clicked["text"], "ran": ran["data"]["stdout"]}

    async def ask(self):
        asked = await self.call(
            "handoff_request", sandboxId=self.sandbox, reason="mfa", message="Sign in, then hand back"
        )
        self.request = asked["data"]["requestId"]
        early = await self.call("handoff_wait", requestId=self.request, timeoutMs=10)
        return {"text": asked["text"], "link": asked["data"]["viewerUrl"], "early": early["data"]["ended"]}

    async def held(self):
        clicked = await self.call("browser_click", sandboxId=self.sandbox, role="button", name="Continue")
        seen = await self.call("browser_snapshot", sandboxId=self.sandbox)
        ran = await self.call("sandbox_exec", sandboxId=self.sandbox, command="echo", args=["meanwhile"])
        return {"clicked": clicked, "seen": seen, "ran": ran["data"]["stdout"], "requestId": self.request}

    async def back(self):
        while True:
            waited = await self.call("handoff_wait", requestId=self.request, timeoutMs=20_000)
            if waited["data"]["ended"]:
                break
        old = await self.call("browser_click", sandboxId=self.sandbox, ref="e1")
        navigated = await self.call("browser_navigate", sandboxId=self.sandbox, url="http://portal.example/")
        tabs = await self.call("browser_tabs", sandboxId=self.sandbox)
        status, n_tabs = waited["data"]["status"], len(tabs["data"]["data"])
        return {"status": status, "old": old, "navigated": navigated["failed"], "tabs": n_tabs}

    async def leave(self):
        await self.call("sandbox_end", sandboxId=self.sandbox)
        return True


async def main():
    async with Client(server()) as client:
        steps = Steps(client)
        while word := (await anyio.to_thread.run_sync(sys.stdin.readline)).strip():
            try:
                told = {"ok": await getattr(steps, word)()}
            except Exception as error:
                told = {"error": f"{type(error).__name__}: {error}"}
            print(json.dumps(told), flush=True)


asyncio.run(main())
