import { z } from 'zod'
import { zManifest } from '../api/wire.ts'
import { formatBytes } from '../config/bytes.ts'
import type { InspectedModel, LintFinding } from '../domain/modelCachePort.ts'
import type { Output } from './output.ts'
import { zHash, zSeconds } from './schemas.ts'

export const zFinding = z.object({
  severity: z.enum(['error', 'warning']),
  rule: z.enum(['random', 'loop', 'domain', 'external', 'size']),
  file: z.string(),
  problem: z.string(),
})

export const zCached = z.object({
  model: z.string(),
  revision: z.string().describe('40-hex commit'),
  names: z.array(z.string()).describe('branches and tags that stand for it here'),
  dtypes: z.array(z.string()),
  bytes: z.int(),
  quarantined: z.int().describe('files that were altered and set aside'),
  lastUsedAt: zSeconds,
})

/** A manifest as commands print it. */
export const zInspected = z.object({ manifest: zManifest, digest: zHash, findings: z.array(zFinding) })

/** The model argument of commands that take one. */
export const zModelArgument = z.string().min(1).describe('owner/model[:dtype][#kind][@revision]')

/** What a manifest pins, in a few lines. */
export function showManifest({ manifest, digest }: Omit<InspectedModel, 'findings'>, screen: Output): void {
  const { model, kind, dtype, revision, files } = manifest
  screen.line(`${screen.style('bold', model)}  ${kind}, ${dtype}`)
  screen.line(`manifest  ${digest}`)
  if (revision !== null) screen.line(`revision  ${revision}`)
  screen.line(`files     ${files.length}, ${formatBytes(files.reduce((sum, { bytes }) => sum + bytes, 0))}`)
}

/** What the linter says, a line each. */
export function showFindings(findings: readonly LintFinding[], screen: Output): void {
  for (const { severity, file, problem } of findings) {
    screen.line(`${severity === 'error' ? screen.style('red', 'refused') : screen.style('yellow', 'warning')}   ${file}: ${problem}`)
  }
  if (findings.some(({ severity }) => severity === 'error')) screen.line('No miner of this machine loads it.')
}
