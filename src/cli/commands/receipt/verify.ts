import { z } from 'zod'
import { sha256 } from '../../../domain/canonical.ts'
import type { Chain } from '../../../domain/chainPort.ts'
import { toPrice, verifyReceipt } from '../../../domain/receipt.ts'
import { listInputMedia, listOutputMedia, toInputHash, toOutputHash, toParamsHash, toUnits } from '../../../domain/task.ts'
import { receiptInvalid } from '../../../errors/cli.ts'
import { defineCommand } from '../../defineCommand.ts'
import { readBytes } from '../../files.ts'
import { formatCaiShort } from '../../format.ts'
import { loadReceipt, type ReceiptBundle, receiptArgs, receiptOptions } from '../../receipts.ts'
import { zAddress, zHash, zWei } from '../../schemas.ts'

const zCheck = z.object({ name: z.string(), ok: z.boolean(), detail: z.string() })

export const receiptVerify = defineCommand({
  description: `Checks a receipt: both signatures against the operators that the chain names, the hashes
of input, params and output, the units and the price; with --file also that an image or a
sound is one that the receipt names. Exit code 65 when one fails.`,
  examples: [
    { command: 'cuckoo receipt verify 0x…', note: 'id of a task' },
    { command: 'cuckoo receipt verify receipt.json', note: 'a file, without the coordinator' },
    { command: 'cuckoo receipt verify 0x… --file out.png', note: 'an image that came with it' },
  ],
  args: z.object(receiptArgs),
  options: z.object({
    ...receiptOptions,
    file: z.array(z.string().min(1)).default([]).describe('image or sound that went in or came out').meta({ placeholder: 'file' }),
  }),
  output: z.object({ task: zHash, coordinator: zAddress, miner: zAddress, priceWei: zWei, verified: z.boolean(), checks: z.array(zCheck) }),
  async run({ args, options }, context) {
    const bundle = await loadReceipt(context, args.receipt, options)
    const chain = await context.ports.getChain()
    const { assignment } = bundle.receipt
    const [coordinator, miner] = await Promise.all([chain.getOperators(assignment.coordinator), chain.getOperators(assignment.miner)])
    const verifier = await context.ports.getVerifier()
    const recover = (digest: `0x${string}`, signature: `0x${string}`) => verifier.recover(digest, signature)
    const checks = [
      ...verifyReceipt(bundle.receipt, chain.domainSeparator, recover, { coordinator, miner }),
      ...checkContent(bundle, chain),
      ...(await checkFiles(bundle, options.file)),
    ]
    const failed = checks.filter(({ ok }) => !ok)
    const verified = failed.length === 0
    context.emit({ task: assignment.taskId, coordinator: assignment.coordinator, miner: assignment.miner, priceWei: toPrice(bundle.receipt), verified, checks })
    if (!verified) throw receiptInvalid({ receipt: args.receipt, failed: failed.map(({ name }) => name).join(', ') })
    return undefined
  },
  view({ task, priceWei, verified, checks }, screen) {
    screen.line(`task ${task}`)
    for (const { name, ok, detail } of checks) {
      screen.line(`  ${ok ? screen.style('green', 'ok  ') : screen.style('red', 'FAIL')} ${name}`)
      screen.line(screen.style('dim', `       ${detail}`))
    }
    if (verified) screen.line(`Signed by both sides, for ${formatCaiShort(priceWei)}.`)
  },
})

/** What the signatures do not say by themselves: that the content is the one that was hashed, on this chain. */
function checkContent({ receipt, content, output, chainId, stakingContract }: ReceiptBundle, { deployment }: Chain): z.output<typeof zCheck>[] {
  const { assignment, result } = receipt
  const check = (name: string, found: unknown, expected: unknown) => ({
    name,
    ok: found === expected,
    detail: found === expected ? String(found) : `${found}, expected ${expected}`,
  })
  return [
    check('input hash', toInputHash(content.input), assignment.inputHash),
    check('params hash', toParamsHash(content.params), assignment.paramsHash),
    check('output hash', toOutputHash(output), result.outputHash),
    check('units', result.units, toUnits(content, output)),
    check('chain and contract', `${chainId} ${stakingContract}`, `${deployment.chainId} ${deployment.contracts.staking}`),
  ]
}

/** That each file is one of the media which input or output name by their SHA-256. */
async function checkFiles({ content, output }: ReceiptBundle, paths: readonly string[]): Promise<z.output<typeof zCheck>[]> {
  const named = new Map([
    ...listInputMedia(content).map(({ sha256: hash }) => [hash, 'input'] as const),
    ...listOutputMedia(output).map(({ sha256: hash }) => [hash, 'output'] as const),
  ])
  return Promise.all(
    paths.map(async (path) => {
      const hash = sha256(await readBytes(path))
      const side = named.get(hash)
      const expected = named.size === 0 ? 'the receipt names no media' : `expected ${[...named.keys()].join(' or ')}`
      return { name: `file ${path}`, ok: side !== undefined, detail: side === undefined ? `${hash}, ${expected}` : `${hash}, of the ${side}` }
    }),
  )
}
