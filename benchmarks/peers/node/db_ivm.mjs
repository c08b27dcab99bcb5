// db-ivm, the dataflow below TanStack DB, without collections: node db_ivm.mjs QUESTION
//
// Best setting: plain functions over the source's own row objects, one graph run per commit. It has no source, so the rows
// before are kept here, as a collection would; no-op updates are not sent in. The answer is a map, and the net events
// of a commit are handed to one subscriber.

import {
  D2, MultiSet, consolidate, distinct, filter, groupBy, groupByOperators, join, map, orderByWithFractionalIndex, output,
} from '@tanstack/db-ivm'
import { serve } from './protocol.mjs'

const { count, max, min, sum } = groupByOperators
const LIMIT = 100
const COUNTRIES = 27

const byScore = (limit) => ({ orders }) =>
  orders.pipe(
    orderByWithFractionalIndex((order) => order, {
      limit,
      comparator: (a, b) => b.score - a.score || a.id - b.id,
    }),
  )

const grouped = (by) => ({ orders }) =>
  orders.pipe(
    map(([, order]) => order),
    groupBy((order) => ({ [by]: order[by] }), {
      n: count(),
      total: sum((order) => order.amount),
      low: min((order) => order.amount),
      high: max((order) => order.amount),
    }),
  )

const named = (how) => ({ orders, users }) =>
  orders.pipe(
    map(([, order]) => [order.user_id, order]),
    join(users, how),
    map(([, [order, user]]) => [order.id, [order, user]]),
    consolidate(), // while pairs can still be told apart by reference
    map(([key, [order, user]]) => [key, { id: order.id, amount: order.amount, name: user?.name ?? null }]),
  )

const QUESTIONS = {
  filter: ({ orders }) => orders.pipe(filter(([, order]) => order.status === 'open' && order.priority >= 1)),
  distinct: ({ orders }) =>
    orders.pipe(
      map(([, order]) => [0, { region: order.region, amount: order.amount }]),
      // A number hashes faster than an object; either way values are known by 32 bits, and a few of many are taken for one.
      distinct(([, pair]) => pair.region * 100_000 + pair.amount),
    ),
  join: named('inner'),
  leftjoin: named('left'),
  group100: grouped('region'),
  groupfk: grouped('user_id'),
  groupfloat: grouped('region'),
  top100: byScore(LIMIT),
  sorted: byScore(undefined),
  threeway: ({ lines, orders, users }) => {
    const few = users.pipe(filter(([, user]) => user.country < COUNTRIES))
    const open = orders.pipe(
      filter(([, order]) => order.status === 'open'),
      map(([key, order]) => [order.user_id, key]),
      join(few, 'inner'),
      map(([, [key]]) => [key, key]),
    )
    return lines.pipe(
      map(([, line]) => [line.order_id, line]),
      join(open, 'inner'),
      map(([, [line]]) => line),
      groupBy((line) => ({ order_id: line.order_id }), { n: count(), total: sum((line) => line.price) }),
    )
  },
  fold: ({ chunks }) =>
    chunks.pipe(
      map(([, chunk]) => chunk),
      groupBy((chunk) => ({ id: chunk.message_id }), {
        text: {
          preMap: (chunk) => [chunk],
          reduce: (values) => values.flatMap(([chunks, weight]) => (weight > 0 ? chunks : [])),
          postMap: (chunks) => chunks.sort((a, b) => a.seq - b.seq).map((chunk) => chunk.chunk).join(''),
        },
      }),
    ),
}
const ORDERED = ['top100', 'sorted']

class View {
  #question
  #tables = {}
  #answer = new Map()
  #delivered = 0

  constructor(question) {
    this.#question = question
  }

  load(tables) {
    this.#tables = Object.fromEntries(
      Object.entries(tables).map(([name, rows]) => [name, new Map(rows.map((row) => [row.id, row]))]),
    )
  }

  hydrate() {
    this.graph = new D2()
    const names = Object.keys(this.#tables)
    this.inputs = Object.fromEntries(names.map((name) => [name, this.graph.newInput()]))
    QUESTIONS[this.#question](this.inputs).pipe(output((delta) => this.#take(delta)))
    this.graph.finalize()
    for (const name of names) {
      const rows = []
      for (const entry of this.#tables[name]) rows.push([entry, 1])
      this.inputs[name].sendData(new MultiSet(rows))
    }
    this.#run()
  }

  forget() {
    this.graph = this.inputs = undefined
    this.#answer = new Map()
  }

  commit(writes) {
    const deltas = {}
    for (const [, table, key, row] of writes) {
      const rows = this.#tables[table]
      const old = rows.get(key)
      if (old !== undefined && row !== null && same(old, row)) continue
      const delta = (deltas[table] ??= [])
      if (old !== undefined) delta.push([[key, old], -1])
      if (row === null) rows.delete(key)
      else {
        delta.push([[key, row], 1])
        rows.set(key, row)
      }
    }
    for (const table in deltas) this.inputs[table].sendData(new MultiSet(deltas[table]))
    this.#run()
  }

  #run() {
    this.pending = []
    this.graph.run()
    const net = new Map()
    for (const [[key, value], weight] of this.pending) {
      let entry = net.get(key)
      if (entry === undefined) net.set(key, (entry = { old: undefined, new: undefined, weight: 0 }))
      entry.weight += weight
      if (weight > 0) entry.new = value
      else entry.old ??= value
    }
    const events = []
    for (const [key, entry] of net) {
      const had = this.#answer.has(key)
      if (entry.weight > 0 || (entry.weight === 0 && had && entry.new !== undefined)) {
        events.push([had ? 'update' : 'insert', key, entry.new, entry.old])
        this.#answer.set(key, entry.new)
      } else if (entry.weight < 0 && had) {
        events.push(['delete', key, entry.old, entry.old])
        this.#answer.delete(key)
      }
    }
    if (events.length) this.#subscriber(events)
  }

  #take(delta) {
    for (const change of delta.getInner()) this.pending.push(change)
  }

  #subscriber(events) {
    this.#delivered += events.length
  }

  rows() {
    const values = [...this.#answer.values()]
    if (!ORDERED.includes(this.#question)) return values
    return values.sort((a, b) => (a[1] < b[1] ? -1 : 1)).map(([row]) => row)
  }
}

function same(old, row) {
  for (const name in row) if (row[name] !== old[name]) return false
  return true
}

await serve(new View(process.argv[2]))
