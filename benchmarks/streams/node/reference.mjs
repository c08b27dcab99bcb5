// The reference server: memory, or with a second argument its file store. Prints one line when it is ready.
import { DurableStreamTestServer } from "@durable-streams/server"

console.log = console.info = () => {} // what it says about itself is not for the one who started it
const [port, dataDir] = process.argv.slice(2)
const server = new DurableStreamTestServer({ port: Number(port), host: "127.0.0.1", dataDir })
await server.start()
process.stdout.write(`serving streams at http://127.0.0.1:${port}/v1/stream/\n`)
