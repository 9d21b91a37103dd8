import { formatBytes } from '../config/bytes.ts'
import { formatDuration } from '../config/duration.ts'
import type { DownloadProgress } from '../domain/enginePort.ts'
import { fitStart } from './fold.ts'
import type { Output } from './output.ts'

/** Shows a download: bars that a person watches, or a line for each file that is there. */
export interface DownloadView {
  update(progress: DownloadProgress): void
  stop(): void
}

/** The spinner redraws by itself; more updates would only cost time. */
const updateMs = 100
/** Speed is that of the last seconds: what came before says little of what is left. */
const speedWindowMs = 5_000

/**
 * A view on stderr. Nothing is shown before the first bytes come, and nothing with --json.
 * @param options.label what is downloaded, for the first line
 * @param options.nowMs a clock
 */
export async function createDownloadView(output: Output, options: { label: string; nowMs: () => number }): Promise<DownloadView> {
  const { label, nowMs } = options
  const spinner = await output.spin('')
  const files = new Map<string, DownloadProgress>()
  const samples: { atMs: number; bytes: number }[] = []
  let shownAtMs = 0
  return {
    update: (progress) => {
      const isDone = progress.receivedBytes === progress.totalBytes
      files.set(progress.file, progress)
      if (isDone) files.delete(progress.file)
      const now = nowMs()
      if (isDone && !spinner.shown) output.note(`fetched ${progress.file} (${formatBytes(progress.totalBytes)})`)
      if (!spinner.shown || (now - shownAtMs < updateMs && !isDone)) return
      shownAtMs = now
      samples.push({ atMs: now, bytes: progress.overall.receivedBytes })
      while ((samples[0]?.atMs ?? now) < now - speedWindowMs) samples.shift()
      spinner.update(formatDownload(label, progress.overall, [...files.values()], samples, output.columns))
    },
    stop: () => spinner.stop(),
  }
}

/**
 * The lines of a view, none wider than `columns`; the spinner's own two columns stand before the first.
 * @example
 * formatDownload('owner/model fp32', { receivedBytes: 3e8, totalBytes: 6e8 }, [], [], 80)
 * // 'owner/model fp32   50 %  300 of 600 MB'
 */
export function formatDownload(
  label: string,
  overall: DownloadProgress['overall'],
  files: readonly DownloadProgress[],
  samples: readonly { atMs: number; bytes: number }[],
  columns: number,
): string {
  const [first, last] = [samples[0], samples.at(-1)]
  const bytesPerSecond =
    first === undefined || last === undefined || last.atMs === first.atMs ? 0 : (1_000 * (last.bytes - first.bytes)) / (last.atMs - first.atMs)
  const left = bytesPerSecond > 0 ? `, ${formatDuration((overall.totalBytes - overall.receivedBytes) / bytesPerSecond)} left` : ''
  const speed = bytesPerSecond > 0 ? `  ${formatBytes(Math.round(bytesPerSecond))}/s${left}` : ''
  const head = `${formatPercent(overall)}  ${formatBytes(overall.receivedBytes)} of ${formatBytes(overall.totalBytes)}${speed}`
  const barWidth = 20
  const lines = files.map((file) => {
    const share = file.totalBytes === 0 ? 1 : file.receivedBytes / file.totalBytes
    const filled = Math.round(share * barWidth)
    const bar = `${'█'.repeat(filled)}${'░'.repeat(barWidth - filled)}`
    const nameWidth = Math.max(8, columns - barWidth - 26)
    return `  ${fitStart(file.file, nameWidth).padEnd(nameWidth)} ${bar} ${formatPercent(file)} ${formatBytes(file.totalBytes).padStart(8)}`
  })
  return [`${fitStart(label, Math.max(8, columns - head.length - 5))}  ${head}`, ...lines].join('\n')
}

function formatPercent({ receivedBytes, totalBytes }: { receivedBytes: number; totalBytes: number }): string {
  return `${String(totalBytes === 0 ? 100 : Math.floor((100 * receivedBytes) / totalBytes)).padStart(3)} %`
}
