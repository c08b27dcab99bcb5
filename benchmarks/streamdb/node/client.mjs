// The TypeScript StreamDB as a peer: one JSON object a line on standard input, answered one a line.
//
// preload   the base stream and live queries over it, until all of them are ready
// follow    one view, published by the server or computed here: until it is ready, then change after change, each
//           from sending it to the base stream until the view shows the expected row

import { DurableStream } from '@durable-streams/client'
import { createStateSchema } from '@durable-streams/state'
import { createStreamDB } from '@durable-streams/state/db'
import { BTreeIndex, count, createLiveQueryCollection, eq, sum } from '@tanstack/db'
import { answer } from './protocol.mjs'

const anything = { '~standard': { version: 1, vendor: 'benchmark', validate: (value) => ({ value }) } }
const tasks = createStateSchema({ tasks: { schema: anything, type: 'task', primaryKey: 'id' } })
const loads = createStateSchema({ loads: { schema: anything, type: 'load', primaryKey: 'owner' } })

const QUERIES = {
  open: (q, source) =>
    q.from({ task: source }).where(({ task }) => eq(task.done, false)).select(({ task }) => ({ id: task.id, title: task.title })),
  load: (q, source) =>
    q
      .from({ task: source })
      .groupBy(({ task }) => task.owner)
      .select(({ task }) => ({ owner: task.owner, n: count(task.id), effort: sum(task.effort) })),
  top: (q, source) =>
    q
      .from({ task: source })
      .orderBy(({ task }) => task.effort, 'desc')
      .orderBy(({ task }) => task.id)
      .limit(50)
      .select(({ task }) => ({ id: task.id, effort: task.effort })),
}

const open = (url, state) => createStreamDB({ streamOptions: { url, contentType: 'application/json' }, state, live: 'sse' })
const view = (name, source) =>
  createLiveQueryCollection({ query: (q) => QUERIES[name](q, source), startSync: true, gcTime: 0 })
const plain = (row) => Object.fromEntries(Object.entries(row).filter(([name]) => !/^[$_]/.test(name)))
const rowsOf = (collection) => collection.toArray.map(plain)
const now = () => performance.now()
const processor = (since) => {
  const { user, system } = process.cpuUsage(since)
  return (user + system) / 1000
}

async function preload({ base, names }) {
  globalThis.gc?.()
  const usage = process.cpuUsage()
  const start = now()
  const db = open(base, tasks)
  // What its warning asks for where a query orders and limits.
  db.collections.tasks.createIndex((row) => row.effort, { indexType: BTreeIndex })
  await db.preload()
  const views = Object.fromEntries(names.map((name) => [name, view(name, db.collections.tasks)]))
  await Promise.all(Object.values(views).map((live) => live.preload()))
  const ms = now() - start
  const cpu = processor(usage)
  const rows = Object.fromEntries(Object.entries(views).map(([name, live]) => [name, rowsOf(live)]))
  db.close()
  return { ms, cpu, rows }
}

async function follow({ base, derived, changes }) {
  globalThis.gc?.()
  const usage = process.cpuUsage()
  const start = now()
  const db = derived ? open(derived, loads) : open(base, tasks)
  await db.preload()
  const shown = derived ? db.collections.loads : view('load', db.collections.tasks)
  await shown.preload()
  const ready = now() - start
  const readyCpu = processor(usage)

  const times = []
  let expected = null
  let sent = 0
  let seen = null
  const look = () => {
    if (expected && shown.toArray.some((row) => row.owner === expected.owner && row.n === expected.n && row.effort === expected.effort)) {
      expected = null
      times.push(now() - sent)
      seen()
    }
  }
  const subscription = shown.subscribeChanges(look)
  const stream = new DurableStream({ url: base, contentType: 'application/json' })
  const begun = process.cpuUsage()
  for (const [event, row] of changes) {
    const arrival = new Promise((resolve) => (seen = resolve))
    expected = row
    sent = now()
    await Promise.all([stream.append(event), arrival])
  }
  const cpu = processor(begun)
  subscription.unsubscribe()
  const rows = rowsOf(shown)
  db.close()
  return { ready, readyCpu, times, cpu, rows }
}

await answer({ preload, follow })
process.exit(0)
