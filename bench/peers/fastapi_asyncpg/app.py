"""The peer of the ingest benchmark: the webhook endpoint that a user would write by hand, and write well.

The signature is checked, the account looked up once and remembered, and log_webhook() called per message on a
pooled connection, in autocommit, before the answer: nothing acknowledged is lost, as with ours.
"""

import hashlib
import hmac
import json
import os

import asyncpg
from fastapi import FastAPI, Request, Response

SECRET = os.environ["META_APP_SECRET"].encode()

app = FastAPI()
accounts = {}


@app.on_event("startup")
async def connect():
    size = int(os.environ.get("POOL_SIZE", "16"))
    app.state.pool = await asyncpg.create_pool(os.environ["DATABASE_URL"], min_size=size, max_size=size)


@app.on_event("shutdown")
async def disconnect():
    await app.state.pool.close()


@app.get("/readyz")
async def healthz():
    return {"status": "ok"}


@app.post("/api/whatsapp/webhook")
async def receive(request: Request):
    body = await request.body()
    digest = hmac.new(SECRET, body, hashlib.sha256).hexdigest()
    if not hmac.compare_digest("sha256=" + digest, request.headers.get("x-hub-signature-256", "")):
        return Response(status_code=401)
    webhook = json.loads(body)
    for entry in webhook["entry"]:
        for change in entry["changes"]:
            await log_messages(webhook, change["value"])
    return {"status": "ok"}


async def log_messages(webhook, value):
    async with app.state.pool.acquire() as connection:
        account_id = await find_account(connection, value["metadata"]["phone_number_id"])
        for message in value.get("messages", []):
            await connection.fetchval(
                "SELECT log_webhook($1, 'whatsapp', 'messages', $2, $3, $4)",
                account_id,
                json.dumps(webhook),
                message["id"],
                message["from"],
            )


async def find_account(connection, phone_number_id):
    if phone_number_id not in accounts:
        accounts[phone_number_id] = await connection.fetchval(
            "SELECT social_account_id FROM get_whatsapp_user_by_phone_number_id($1)", phone_number_id
        )
    return accounts[phone_number_id]
