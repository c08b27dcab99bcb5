// The published TypeScript StreamDB follows views that the server at STREAMS_URL derives from the stream `chat`, and
// writes to `chat` by an optimistic action whose txid it awaits in the view. Prints one JSON object.
import { DurableStream } from "@durable-streams/client"
import { createStateSchema } from "@durable-streams/state"
import { createStreamDB } from "@durable-streams/state/db"
import { createLiveQueryCollection } from "@tanstack/db"

const url = (name) => `${process.env.STREAMS_URL}/v1/stream/${name}`
const anything = { "~standard": { version: 1, vendor: "test", validate: (value) => ({ value }) } }

const chat = createStateSchema({ messages: { schema: anything, type: "message", primaryKey: "id" } })
const shown = createStateSchema({
  texts: { schema: anything, type: "text", primaryKey: "id" },
  totals: { schema: anything, type: "total", primaryKey: "text" },
})

const base = new DurableStream({ url: url("chat"), contentType: "application/json" })
const append = (...events) => Promise.all(events.map((event) => base.append(JSON.stringify(event))))
const say = (id, text, txid) => chat.messages.insert({ value: { id, text }, headers: { txid } })

await append(say("1", "m"), say("2", "c", "t1"))

const db = createStreamDB({
  streamOptions: { url: url("views/chat"), contentType: "application/json" },
  state: shown,
  live: process.env.LIVE,
  actions: ({ db }) => ({
    send: {
      onMutate: ({ id, text }) => db.collections.texts.insert({ id, text, orderKey: "zz" }),
      mutationFn: async ({ id, text, txid }) => {
        await append(say(id, text, txid))
        await db.utils.awaitTxId(txid, 10000)
      },
    },
  }),
})
await db.preload()
await db.utils.awaitTxId("t1", 10000)

// The order of the view, kept by a query of the client.
const list = createLiveQueryCollection((q) =>
  q.from({ row: db.collections.texts }).orderBy(({ row }) => row.orderKey)
)
await list.preload()
const texts = () => list.toArray.map((row) => row.text)
const totals = () => Object.fromEntries([...db.collections.totals.values()].map((row) => [row.text, row.total]))
const results = { preloaded: texts() }

const sent = db.actions.send({ id: "3", text: "f", txid: "t2" })
results.optimistic = texts()
await sent.isPersisted.promise
results.settled = texts()

// Changes nothing in the view; its txid comes through all the same.
await append(say("4", "", "t3"))
await db.utils.awaitTxId("t3", 10000)
results.unchanged = texts()

// A text moves to the front, another goes.
await append(
  chat.messages.update({ value: { id: "1", text: "a" } }),
  chat.messages.delete({ key: "2", headers: { txid: "t4" } })
)
await db.utils.awaitTxId("t4", 10000)
results.moved = texts()
results.totals = totals()

const view = new DurableStream({ url: url("views/chat"), contentType: "application/json" })
results.write = await view.append("{}").then(() => "accepted", (error) => error.status)
db.close()
console.log(JSON.stringify(results))
process.exit(0)
