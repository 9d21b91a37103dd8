import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { DeviceInfo, DeviceName } from '../domain/enginePort.ts'
import type { Dtype } from '../domain/manifest.ts'
import { deviceUnavailable } from '../errors/inference.ts'
import { findRuntime } from './findRuntime.ts'
import { findSibling } from './findSibling.ts'
import type { ProbeReport } from './probeDevice.ts'

/** A device with the measure that `auto` decides by: how many times faster than the CPU it multiplies matrices. */
export interface ProbedDevice extends DeviceInfo {
  speedup: number
}

/** A software adapter takes seconds to compile its first shader. */
const probeTimeoutMs = 60_000

/**
 * Every device with whether it can be used and why. All but the CPU count as available when a session was created and a product
 * computed on them and nowhere else, in a process of its own. One after another: drivers need not bear two at a time.
 */
export async function probeDevices(): Promise<ProbedDevice[]> {
  const cpu: ProbedDevice = { device: 'cpu', available: true, detail: `${availableParallelism()} cores`, speedup: 1 }
  return [cpu, await probeWebGpu(), await probeCuda(), await probeDirectMl()]
}

async function probeWebGpu(): Promise<ProbedDevice> {
  if (process.platform === 'linux' && process.arch !== 'x64') return absent('webgpu', `the ONNX runtime has no WebGPU for ${process.platform} ${process.arch}`)
  return probe('webgpu')
}

async function probeCuda(): Promise<ProbedDevice> {
  if (process.platform !== 'linux' || process.arch !== 'x64')
    return absent('cuda', `the ONNX runtime has CUDA for linux x64 only, this is ${process.platform} ${process.arch}`)
  return existsSync(join(findRuntime().binaries, 'libonnxruntime_providers_cuda.so')) ? probe('cuda') : absent('cuda', 'its provider library is not installed')
}

async function probeDirectMl(): Promise<ProbedDevice> {
  if (process.platform !== 'win32') return absent('dml', `DirectML is a part of Windows, this is ${process.platform} ${process.arch}`)
  return probe('dml')
}

function absent(device: DeviceName, detail: string): ProbedDevice {
  return { device, available: false, detail, speedup: 0 }
}

async function probe(device: DeviceName): Promise<ProbedDevice> {
  const report = await runProbe(device)
  if (!report.ok) return absent(device, report.reason)
  const speedup = report.cpuMs / report.deviceMs
  const detail =
    speedup >= 1
      ? `multiplies matrices ${speedup.toFixed(1)} times as fast as the CPU`
      : `multiplies matrices ${(1 / speedup).toFixed(1)} times slower than the CPU`
  return { device, available: true, detail: report.half ? detail : `${detail}, and not in half precision`, speedup, lacksHalf: !report.half }
}

function runProbe(device: DeviceName): Promise<ProbeReport> {
  // Drivers read many variables of the environment; secrets of ours are none of their business.
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(CUCKOO_|HF_|NODE_OPTIONS)/.test(name)))
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [fileURLToPath(findSibling('probeDevice', import.meta.url)), device],
      { env, timeout: probeTimeoutMs, killSignal: 'SIGKILL' },
      (error, stdout) => {
        const line = stdout.trim().split('\n').at(-1) ?? ''
        try {
          const report = JSON.parse(line) as ProbeReport
          resolve(report.ok ? report : { ok: false, reason: toShortReason(report.reason) })
        } catch {
          // The probe died: its exit is the news.
          const how = error?.killed ? `no answer in ${probeTimeoutMs / 1000} s` : `its driver ended the probe (${error?.signal ?? `exit code ${error?.code}`})`
          resolve({ ok: false, reason: how })
        }
      },
    )
  })
}

/** The last sentence of the runtime's reason: paths of its sources come first. */
function toShortReason(reason: string): string {
  const lines = reason.trim().split('\n')
  return ((lines[0] ?? '').split(/ was false\. | : FAIL : /).at(-1) ?? '').replace(/\.$/, '').slice(0, 200)
}

/** The devices as they are to weights of `dtype`: those that compute in single precision only are not there for fp16 and q4f16. */
export function toDevicesFor(dtype: Dtype, devices: readonly ProbedDevice[]): ProbedDevice[] {
  const half = dtype === 'fp16' || dtype === 'q4f16'
  return devices.map((probed) =>
    half && probed.lacksHalf ? { ...probed, available: false, detail: `it computes in single precision only, and the weights are ${dtype}` } : probed,
  )
}

/** What to do about a device that is not there, on this platform. */
export function getDeviceFix(device: DeviceName, { platform, arch } = process as { platform: string; arch: string }): string {
  if (device === 'cpu') return 'Use --device cpu.'
  if (device === 'cuda' && platform === 'linux' && arch === 'x64')
    return 'Run `cuckoo miner setup --cuda`, then `cuckoo miner doctor`; or use --device webgpu, or --device cpu.'
  if (device !== 'webgpu') return 'Use --device webgpu, or --device cpu.'
  if (platform === 'linux' && arch === 'x64') return "Install your GPU's Vulkan driver and the loader (Debian: apt install libvulkan1), or use --device cpu."
  return platform === 'linux' ? 'Use --device cpu.' : "Update your GPU's driver, or use --device cpu."
}

/**
 * The device to load a model on, and why. `auto` takes the fastest that beats the CPU; a named one is used or refused.
 * @throws CUCKOO_DEVICE_UNAVAILABLE for a named device that is not there
 */
export function chooseDevice(wanted: DeviceName | 'auto', devices: readonly ProbedDevice[]): { device: DeviceName; reason: string } {
  if (wanted === 'auto') {
    const [best] = devices.filter(({ available, device, speedup }) => available && (device === 'cpu' || speedup > 1)).sort((a, b) => b.speedup - a.speedup)
    const others = devices.filter(({ device }) => device !== best?.device).map(({ device, detail }) => `${device}: ${detail}`)
    return { device: best?.device ?? 'cpu', reason: `best here: ${best?.detail ?? 'always there'} (${others.join('; ')})` }
  }
  const found = devices.find(({ device }) => device === wanted)
  if (found?.available) return { device: wanted, reason: 'as asked' }
  const nextStep = found?.lacksHalf ? 'Use --dtype fp32 or q4, or --device cpu.' : getDeviceFix(wanted)
  throw deviceUnavailable({ device: wanted, reason: found?.detail ?? 'it is unknown', nextStep })
}
