import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Address, Hash } from '../domain/hex.ts'
import { listOutputMedia } from '../domain/task.ts'
import { devnetTaskFailed } from '../errors/devnet.ts'
import { createContactSheet } from './createContactSheet.ts'
import { type DemoNetworkOptions, type NetworkSummary, playOnNetwork, type SceneEvent, type Stage, toSeconds } from './demoNetwork.ts'
import { formatCommand, runCommand } from './runCommand.ts'

export interface ImageDemoOptions extends DemoNetworkOptions {
  prompts: readonly string[]
  /** where the contact sheet goes; what is there is replaced */
  out: string
}

/** An image of the demo; its number is also the seed that it was drawn with. */
export interface DemoImage {
  prompt: string
  seed: number
  task: Hash
  miner: Address
  /** the miner's account */
  name: string
  sha256: Hash
  seconds: number
}

export type ImageDemoEvent = SceneEvent | { type: 'image'; image: DemoImage; total: number } | { type: 'sheet'; path: string }

/** What `cuckoo demo --image --json` prints. */
export interface ImageDemoSummary extends NetworkSummary {
  images: DemoImage[]
  sheet: string
}

/**
 * Lets a network of real processes draw an image for every prompt, one at a time, and puts them into one PNG that says who made
 * which; one receipt is verified, down to the file.
 * @throws as {@link playOnNetwork}, CUCKOO_DEVNET_TASK_FAILED when an image cannot be made
 */
export function runImageDemo(options: ImageDemoOptions, onEvent: (event: ImageDemoEvent) => void): Promise<ImageDemoSummary> {
  return playOnNetwork(options, onEvent, async (stage) => {
    const folder = join(stage.home, 'images')
    mkdirSync(folder)
    const total = options.prompts.length
    onEvent({ type: 'section', title: `An app asks for ${total} images, one at a time: stake decides who draws` })
    const images: DemoImage[] = []
    for (const [seed, prompt] of options.prompts.entries()) {
      const image = await (seed === 0 ? drawByCommand : draw)(stage, { prompt, seed, model: options.model, path: join(folder, `${seed}.png`) }, onEvent)
      images.push(image)
      onEvent({ type: 'image', image, total })
    }
    const pictures = images.map(({ prompt, name, seed }) => ({ png: readFileSync(join(folder, `${seed}.png`)), caption: prompt, note: name }))
    writeFileSync(options.out, await createContactSheet(pictures))
    onEvent({ type: 'sheet', path: options.out })

    onEvent({ type: 'section', title: 'Who drew' })
    return {
      makers: images.map(({ miner }) => miner),
      receipt: {
        title: 'A receipt, signed by both sides, that names the image by its SHA-256',
        task: images[0]?.task as Hash,
        files: [join(folder, '0.png')],
      },
      own: { images, sheet: options.out },
    }
  })
}

interface Wish {
  prompt: string
  seed: number
  model: string
  /** file for the image */
  path: string
}

/** The way people do it. */
async function drawByCommand({ devnet, program }: Stage, { prompt, seed, model, path }: Wish, onEvent: (event: ImageDemoEvent) => void): Promise<DemoImage> {
  const args = ['run', '--image', path, prompt, '--model', model, '--seed', String(seed)]
  const answer = (await runCommand(program, args)) as { task: Hash; miner: Address; seconds: number; files: { sha256: Hash }[] }
  onEvent({ type: 'command', command: formatCommand(args), note: '' })
  const { task, miner, seconds, files } = answer
  return { prompt, seed, task, miner, name: getName(devnet, miner), sha256: files[0]?.sha256 as Hash, seconds }
}

async function draw({ client, devnet }: Stage, { prompt, seed, model, path }: Wish): Promise<DemoImage> {
  const startedAt = performance.now()
  const { task } = await client.createTask({
    query: { waitMs: 120_000 },
    body: { model, kind: 'image', input: { prompt }, params: {}, seed: BigInt(seed), dryRun: false },
  })
  const medium = task === null || task.output === null ? undefined : listOutputMedia(task.output)[0]
  if (task === null || task.miner === null || medium === undefined) {
    throw devnetTaskFailed({ what: prompt, reason: task?.failures.map(({ message }) => message).join('; ') || (task?.state ?? 'no task was made') })
  }
  writeFileSync(path, await client.getMedia({ params: { hash: medium.sha256 } }))
  return { prompt, seed, task: task.id, miner: task.miner, name: getName(devnet, task.miner), sha256: medium.sha256, seconds: toSeconds(startedAt) }
}

function getName(devnet: Stage['devnet'], miner: Address): string {
  return devnet.state.miners.find(({ node }) => node === miner)?.account ?? miner
}
