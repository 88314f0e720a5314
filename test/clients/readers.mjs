// Libraries that read Meta's webhooks, and what they see in one: a list of {id, sender, type, text}.
import { webcrypto } from "node:crypto";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

globalThis.crypto ??= webcrypto; // Debian 12's Node.js has none

// Imports modules of the libraries that are installed in this folder.
export function loader(folder) {
  const require = createRequire(`${folder}/`);
  return async (name) => await import(pathToFileURL(require.resolve(name)));
}

// Present and not empty.
const first = (...texts) => texts.find((text) => text) ?? "";
const textOf = (message) => first(message.text?.body, message.button?.text);

// An instance of whatsapp-api-js, whose handlers are called with one event each, and the list of what they see.
export function whatsappApiJs(WhatsAppAPI, secret) {
  const seen = [];
  const see = (id, sender, type, text = "") => seen.push({ id, sender, type, text });
  const api = new WhatsAppAPI({ token: "none", appSecret: secret, secure: true, v: "v24.0" });
  api.on.message = ({ message, contact }) =>
    see(message.id, first(contact.user_id, contact.wa_id), message.type, textOf(message));
  api.on.status = ({ id, contact, recipient, status }) =>
    see(id, first(recipient.group, contact.user_id, contact.wa_id), status);
  const called = ({ call, from }) => see(call.id, first(from), call.event);
  api.on.call = { connect: called, terminate: called, status: ({ id, phone, status }) => see(id, phone, status) };
  return { api, seen };
}

// What @kapso/whatsapp-cloud-api gives: lists, in words of camelCase.
export function seenByKapso({ messages, statuses, calls }) {
  const customer = (event) =>
    event.kapso?.direction === "outbound" || event.direction === "BUSINESS_INITIATED"
      ? first(event.toUserId, event.to)
      : first(event.fromUserId, event.from);
  const recipient = (status) =>
    first(status.recipientType === "group" && status.recipientId, status.recipientUserId, status.recipientId);
  return [
    ...messages.map((event) => ({ id: event.id, sender: customer(event), type: event.type, text: textOf(event) })),
    ...statuses.map((event) => ({ id: event.id, sender: recipient(event), type: event.status, text: "" })),
    ...calls.map((event) => ({ id: event.id ?? event.callId, sender: customer(event), type: event.event, text: "" })),
  ];
}
