// The published TypeScript clients, unmodified, against the server at STREAMS_URL. Prints one JSON object.
import { DurableStream, IdempotentProducer, stream } from "@durable-streams/client"
import { createStateSchema } from "@durable-streams/state"
import { createStreamDB } from "@durable-streams/state/db"

const url = (name) => `${process.env.STREAMS_URL}/v1/stream/${name}`

// Collects what a live reader gets until `count` items are there.
const follow = async (name, live, count, begin) => {
  const response = await stream({ url: url(name), offset: "-1", live })
  const items = []
  const done = new Promise((resolve) => {
    response.subscribeJson(async (batch) => {
      items.push(...batch.items)
      if (items.length >= count) resolve()
    })
  })
  await begin()
  await done
  response.cancel()
  return items
}

const appendAndRead = async () => {
  const handle = await DurableStream.create({ url: url("plain"), contentType: "application/json" })
  await handle.append(JSON.stringify({ n: 1 }))
  await handle.append(JSON.stringify({ n: 2 }))
  const response = await stream({ url: url("plain"), offset: "-1", live: false })
  return response.json()
}

const live = async (mode) => {
  const name = `live-${mode}`
  const handle = await DurableStream.create({ url: url(name), contentType: "application/json" })
  await handle.append(JSON.stringify({ n: 1 }))
  return follow(name, mode, 3, async () => {
    await handle.append(JSON.stringify({ n: 2 }))
    await handle.append(JSON.stringify({ n: 3 }))
  })
}

const producer = async () => {
  const handle = await DurableStream.create({ url: url("producer"), contentType: "application/json" })
  const errors = []
  const open = (epoch) =>
    new IdempotentProducer(handle, "writer", {
      epoch,
      autoClaim: true,
      lingerMs: 1,
      maxBatchBytes: 64,
      onError: (error) => errors.push(String(error)),
    })
  const first = open(3)
  for (let n = 0; n < 200; n++) first.append(JSON.stringify({ n }))
  await first.flush()
  const second = open(0) // fenced off by the first: it must claim the next epoch
  for (let n = 200; n < 250; n++) second.append(JSON.stringify({ n }))
  await second.flush()
  await second.close()
  const response = await stream({ url: url("producer"), offset: "-1", live: false })
  const items = await response.json()
  const { streamClosed } = await handle.head()
  return { items: items.map((item) => item.n), closed: streamClosed, errors }
}

// A schema of the kind that State Protocol clients accept: anything that follows Standard Schema.
const anything = { "~standard": { version: 1, vendor: "test", validate: (value) => ({ value }) } }

const database = async () => {
  const state = createStateSchema({
    users: { schema: anything, type: "user", primaryKey: "id" },
  })
  const handle = await DurableStream.create({ url: url("database"), contentType: "application/json" })
  const append = (event) => handle.append(JSON.stringify(event))
  await append(state.users.insert({ value: { id: "1", name: "Ada" } }))
  const db = createStreamDB({
    streamOptions: { url: url("database"), contentType: "application/json" },
    state,
    live: process.env.LIVE,
  })
  await db.preload()
  const preloaded = [...db.collections.users.values()].map((user) => user.name)
  const waiting = db.utils.awaitTxId("t1", 10000)
  await append(state.users.update({ value: { id: "1", name: "Grace" }, headers: { txid: "t1" } }))
  await waiting
  const updated = [...db.collections.users.values()].map((user) => user.name)
  db.close()
  return { preloaded, updated }
}

const results = {
  appendAndRead: await appendAndRead(),
  longPoll: await live("long-poll"),
  sse: await live("sse"),
  producer: await producer(),
  database: await database(),
}
console.log(JSON.stringify(results))
process.exit(0)
