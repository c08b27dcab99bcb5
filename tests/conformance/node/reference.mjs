// The reference server, in memory, at a free port. Prints one line when it is ready, and ends by SIGTERM.
import { createServer } from "node:net"
import { DurableStreamTestServer } from "@durable-streams/server"

const port = await new Promise((resolve) => {
  const probe = createServer().listen(0, "127.0.0.1", () => {
    const { port } = probe.address()
    probe.close(() => resolve(port))
  })
})
console.log = console.info = () => {} // what it says about itself is not for the one who started it
const server = new DurableStreamTestServer({ port, host: "127.0.0.1", longPollTimeout: 2000 })
await server.start()
process.stdout.write(`serving streams at http://127.0.0.1:${port}/v1/stream/\n`)
