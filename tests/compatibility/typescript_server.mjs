// The TypeScript SDK's server with one tool, as the SDK's own examples set it up: with sessions, or stateless.
// Usage: node typescript_server.mjs sessions|stateless. Prints its address, and serves until its input ends.

import { randomUUID } from "node:crypto";
import { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js";
import { createMcpExpressApp } from "@modelcontextprotocol/sdk/server/express.js";
import { StreamableHTTPServerTransport } from "@modelcontextprotocol/sdk/server/streamableHttp.js";
import { isInitializeRequest } from "@modelcontextprotocol/sdk/types.js";
import { z } from "zod";

const stateless = process.argv[2] === "stateless";
const transports = new Map();

function server() {
  const made = new McpServer({ name: "echo", version: "1.0.0" });
  made.registerTool(
    "echo",
    {
      description: "Say it again.",
      inputSchema: { text: z.string() },
      annotations: { readOnlyHint: true, destructiveHint: false, openWorldHint: false },
    },
    async ({ text }) => ({ content: [{ type: "text", text }] }),
  );
  return made;
}

function refusal(response, status, message) {
  response.status(status).json({ jsonrpc: "2.0", error: { code: -32000, message }, id: null });
}

async function answerOnce(request, response) {
  const one = server();
  const transport = new StreamableHTTPServerTransport({ sessionIdGenerator: undefined });
  response.on("close", () => {
    transport.close();
    one.close();
  });
  await one.connect(transport);
  await transport.handleRequest(request, response, request.body);
}

async function answerInSession(request, response) {
  const id = request.headers["mcp-session-id"];
  let transport = id ? transports.get(id) : undefined;
  if (!transport && !id && isInitializeRequest(request.body)) {
    transport = new StreamableHTTPServerTransport({
      sessionIdGenerator: () => randomUUID(),
      onsessioninitialized: (fresh) => transports.set(fresh, transport),
    });
    transport.onclose = () => transports.delete(transport.sessionId);
    await server().connect(transport);
  }
  if (!transport) return refusal(response, 400, "Bad Request: No valid session ID provided");
  await transport.handleRequest(request, response, request.body);
}

const app = createMcpExpressApp();
app.post("/mcp", stateless ? answerOnce : answerInSession);
app.get("/mcp", async (request, response) => {
  if (stateless) return refusal(response, 405, "Method not allowed.");
  const transport = transports.get(request.headers["mcp-session-id"]);
  if (!transport) return response.status(400).send("Invalid or missing session ID");
  await transport.handleRequest(request, response);
});

const listener = app.listen(0, "127.0.0.1", () => {
  console.log(`http://127.0.0.1:${listener.address().port}`);
});
process.stdin.resume();
process.stdin.on("end", () => process.exit(0));
