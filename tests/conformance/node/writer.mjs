// Writes the history of a chat to a stream at STREAMS_URL, as a TypeScript producer would: exactly once, in batches.
import { DurableStream, IdempotentProducer } from "@durable-streams/client"
import { createStateSchema } from "@durable-streams/state"

const anything = { "~standard": { version: 1, vendor: "test", validate: (value) => ({ value }) } }
const { messages } = createStateSchema({ messages: { schema: anything, type: "message", primaryKey: "id" } })
const url = `${process.env.STREAMS_URL}/v1/stream/chat`
const handle = new DurableStream({ url, contentType: "application/json" })
const errors = []
const producer = new IdempotentProducer(handle, "writer", { lingerMs: 1, onError: (error) => errors.push(String(error)) })
const add = (event) => producer.append(JSON.stringify(event))

for (let n = 0; n < 100; n++) add(messages.insert({ value: { id: `${n}`, text: "first" } }))
for (let n = 0; n < 100; n += 2) add(messages.update({ value: { id: `${n}`, text: "second" } }))
for (let n = 0; n < 100; n += 5) add(messages.delete({ key: `${n}` }))
add(messages.upsert({ value: { id: "last", text: "done" }, headers: { txid: "done" } }))
await producer.flush()
console.log(JSON.stringify(errors))
process.exit(0)
