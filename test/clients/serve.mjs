// A tenant's server: libraries that check and read what is POSTed to them. The only argument is their folder. The first line of
// standard input is {"/path": {library, secret}, …}; it ends when its standard input does.
//
// The first line of standard output is its port on 127.0.0.1; then comes one for each request, before its answer:
// {path, headers, body in base64, is_accepted, failure, seen}. The answer is 200, or 401 when the library refuses the signature;
// 200 also when it accepts that and fails later, which is its own affair. /path?ahead_s=300 is checked with a clock that is so much
// ahead.
import { createServer } from "node:http";
import { createInterface } from "node:readline";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { loader, seenByKapso, whatsappApiJs } from "./readers.mjs";

const load = loader(process.argv[2]);
const { WhatsAppAPI } = await load("whatsapp-api-js/middleware/node-http");
const { normalizeWebhook, verifySignature } = await load("@kapso/whatsapp-cloud-api/server");

async function readByWhatsappApiJs({ headers, body, secret }) {
  const { api, seen } = whatsappApiJs(WhatsAppAPI, secret);
  const status = await api.handle_post(Object.assign(Readable.from([body]), { headers }));
  return { is_accepted: status !== 401, failure: status === 200 ? null : status, seen };
}

function readByKapso({ headers, body, secret }) {
  const signatureHeader = headers["x-hub-signature-256"];
  if (!verifySignature({ appSecret: secret, rawBody: body, signatureHeader })) return { is_accepted: false };
  return { is_accepted: true, seen: seenByKapso(normalizeWebhook(JSON.parse(body))) };
}

// `seen` is what the library makes of the body, all of it.
async function standard(name) {
  const { Webhook, WebhookVerificationError } = await load(name);
  return ({ headers, body, secret }) => {
    try {
      return { is_accepted: true, seen: new Webhook(secret).verify(body, headers) };
    } catch (error) {
      if (!(error instanceof WebhookVerificationError)) throw error;
      return { is_accepted: false, failure: error.message };
    }
  };
}

const libraries = {
  "whatsapp-api-js": readByWhatsappApiJs,
  "@kapso/whatsapp-cloud-api": readByKapso,
  standardwebhooks: await standard("standardwebhooks"),
  svix: await standard("svix"),
};

// Meta's handshake, by the one library that knows it; its verify token is the secret.
function shakeHands(request, response, paths) {
  const { secret } = paths[new URL(request.url, "http://localhost").pathname];
  const api = new WhatsAppAPI({ token: "none", appSecret: secret, webhookVerifyToken: secret, v: "v24.0" });
  try {
    response.end(api.handle_get(request));
  } catch (status) {
    response.writeHead(status).end();
  }
}

const now = Date.now;

async function receive(request, paths) {
  const { pathname, searchParams } = new URL(request.url, "http://localhost");
  const { library, secret } = paths[pathname];
  const body = await buffer(request);
  const ahead_ms = 1000 * Number(searchParams.get("ahead_s"));
  Date.now = () => now() + ahead_ms; // what looks at the clock does so before it first waits
  const checked = libraries[library]({ headers: request.headers, body, secret });
  Date.now = now;
  return { path: pathname, headers: request.headers, body: body.toString("base64"), ...(await checked) };
}

const input = createInterface({ input: process.stdin });
input.once("line", (line) => {
  const paths = JSON.parse(line);
  const server = createServer(async (request, response) => {
    if (request.method === "GET") return shakeHands(request, response, paths);
    const received = await receive(request, paths);
    process.stdout.write(`${JSON.stringify(received)}\n`);
    response.writeHead(received.is_accepted ? 200 : 401).end();
  });
  server.listen(0, "127.0.0.1", () => process.stdout.write(`${server.address().port}\n`));
});
input.once("close", () => process.exit());
