// What the benchmarks ask of a peer, one JSON object a line on standard input, answered one a line.
//
// A view has load(tables), hydrate(), forget(), commit(writes), rows(), and may be asynchronous in all but commit.
// The clock is here, so that neither JSON nor the pipe is measured. A write is [op, table, key, row or null].

import { createInterface } from 'node:readline'

const AT_LEAST = 15 // commits that are timed, whatever they take

const now = () => Number(process.hrtime.bigint())

async function timed(work) {
  globalThis.gc?.()
  const start = now()
  await work()
  return now() - start
}

function commits(view, batches, allowance) {
  const times = []
  const end = now() + allowance
  for (let number = 0; number < batches.length; number++) {
    const start = now()
    if (number >= AT_LEAST && start > end) {
      view.commit(batches.slice(number).flat())
      break
    }
    view.commit(batches[number])
    times.push(now() - start)
  }
  return times
}

function heap() {
  globalThis.gc?.()
  return process.memoryUsage().heapUsed
}

// Runs the command of each line with the rest of the line; answers with what it returns, or how it failed.
export async function answer(commands) {
  for await (const line of createInterface({ input: process.stdin, crlfDelay: Infinity })) {
    const { command, ...given } = JSON.parse(line)
    let said
    try {
      said = await commands[command](given)
    } catch (error) {
      said = { error: String(error?.stack ?? error) }
    }
    process.stdout.write(JSON.stringify(said) + '\n')
  }
}

export async function serve(view) {
  const commands = {
    load: async ({ tables }) => ({ time: await timed(() => view.load(tables)) }),
    hydrate: async () => {
      await view.forget()
      return { time: await timed(() => view.hydrate()) }
    },
    commits: ({ batches, allowance }) => ({ times: commits(view, batches, allowance) }),
    rows: () => ({ rows: view.rows() }),
    memory: async ({ tables }) => {
      const before = heap()
      await view.load(tables)
      const loaded = heap()
      await view.hydrate()
      const hydrated = heap()
      // The rows are named once more, so that they are there all the time.
      return { rows: Object.keys(tables).length, source: loaded - before, answer: hydrated - loaded }
    },
  }
  await answer(commands)
}
