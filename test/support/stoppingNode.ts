/**
 * A process whose runtime is at work for seconds, and which lets go of it as a node does: `unload` (an app cancels, and another one's
 * task needs the room), `dispose` (the miner stops), `load` (it is told to stop while a model loads), `force` (a command that drains is
 * sent a second signal by whoever started this), `abandon` and `stuck` (an app cancels, or it stops, and no run may take long to let go),
 * `late` (a model takes longer to load again than it may), `first` and `quit` (it takes longer to load at the start, or after the start
 * was told to stop). Prints a line when the runtime is at work, and `let go` after. Arguments: the
 * way, and an empty directory.
 */
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { createProcessIo } from '../../src/cli/io.ts'
import { main } from '../../src/cli/main.ts'
import type { OpenModel } from '../../src/domain/enginePort.ts'
import { createEngine } from '../../src/inference/createEngine.ts'
import { ModelShelf } from '../../src/miner/modelShelf.ts'
import { createServing } from './cli.ts'
import { toMaskedModelFiles } from './embeddingGraphs.ts'
import { writeModelFiles } from './onnx.ts'
import { slowWord, writeSlowModels } from './slowModel.ts'

const [way, directory] = process.argv.slice(2) as ['unload' | 'dispose' | 'load' | 'force' | 'abandon' | 'stuck' | 'late' | 'first' | 'quit', string]
const say = (text: string) => process.stdout.write(`${text}\n`)
const toOffer = (model: string) => ({ model, source: { from: 'folder', directory }, dtype: 'fp32', device: 'cpu' }) as const
const toEmbed = (word: number, signal?: AbortSignal) => (model: OpenModel) =>
  model.embed({ tokenIds: [[word]] }, { normalize: true }, signal === undefined ? {} : { signal })

writeSlowModels(directory)
writeModelFiles(join(directory, 'test/quick'), toMaskedModelFiles('masked'))
const offered = Promise.withResolvers<void>()
const engine = createEngine({ modelsDirectory: join(directory, 'hub'), offline: true })
// A worker takes 48 MiB and these models next to nothing: there is room for one.
const shelf = new ModelShelf({
  engine,
  memoryBytes: 80e6,
  slotsByDevice: {},
  pinned: [],
  ...(['stuck', 'abandon', 'quit'].includes(way) && { timing: { letGoMs: 300 } }),
  ...(way === 'first' && { timing: { firstLoadMs: 300 } }),
  ...(way === 'late' && { timing: { loadMs: 300 } }),
  onWithheld: (_, { code }) => say(code),
  onOffered: () => offered.resolve(),
})

if (way === 'load') {
  const stop = new AbortController()
  const load = engine.openModel({ ...toOffer('test/heavy'), signal: stop.signal }).then(
    () => 'loaded',
    () => 'given up',
  )
  await delay(2_500)
  say('at work')
  stop.abort()
  say(await load)
} else if (way === 'first' || way === 'quit') {
  const stop = new AbortController()
  const start = shelf.add(toOffer('test/heavy'), { signal: stop.signal }).catch(({ code }) => say(`refused: ${code}`))
  if (way === 'quit') await delay(2_500)
  say('at work')
  if (way === 'quit') stop.abort()
  await start
} else if (way === 'late') {
  const { manifestDigest } = await shelf.add(toOffer('test/heavy'))
  await shelf.unloadAll()
  shelf.resume()
  say('at work')
  await shelf.run(manifestDigest, toEmbed(1)).catch(({ code }) => say(`refused: ${code}`))
  await offered.promise
  await shelf.run(manifestDigest, toEmbed(1))
} else {
  const quick = await shelf.add(toOffer('test/quick'))
  const slow = await shelf.add(toOffer('test/slow'))
  const app = new AbortController()
  const run = shelf.run(slow.manifestDigest, toEmbed(slowWord, app.signal), app.signal).then(
    () => 'done',
    () => 'cancelled',
  )
  await delay(700)
  say('at work')
  if (way === 'force') {
    await main(['coordinator', 'serve', '--json'], { compose: createServing().compose })
  } else if (way === 'abandon') {
    app.abort()
    say(await run)
    await offered.promise
    await shelf.run(slow.manifestDigest, toEmbed(1))
  } else if (way === 'unload') {
    app.abort()
    say(await run)
    await shelf.run(quick.manifestDigest, toEmbed(1))
  }
}
const stuck = await shelf.dispose()
await engine.dispose()
if (stuck.length > 0) {
  say(`stuck: ${stuck.map(({ manifest }) => manifest.model)}`)
  createProcessIo().exitNow(75)
}
say('let go')
