import { existsSync } from 'node:fs'
import { arch, availableParallelism, platform, totalmem } from 'node:os'
import { formatBytes } from '../../config/bytes.ts'
import type { DeviceName, Engine } from '../../domain/enginePort.ts'
import type { EngineTools } from '../../domain/engineTools.ts'
import { deviceUnavailable } from '../../errors/inference.ts'
import { type Check, fromError, toFailure, toOk, toSkipped, toWarning } from './check.ts'
import { getFreeBytes } from './getFreeBytes.ts'

/** What package.json's `engines` asks for. */
const minimumNode = [22, 19] as const
/** The bundled models, a coordinator's session and the node itself take about this. */
const smallestMemoryBytes = 512 * 2 ** 20
/** Below this a model of a billion parameters in q4, the smallest that chats well, does not fit beside the system. */
const comfortableMemoryBytes = 4 * 2 ** 30
/** What downloads leave free (inference's assertSpace). */
const reservedDiskBytes = 256 * 2 ** 20
const comfortableDiskBytes = 5 * 2 ** 30

/** Node, memory, disk, ports and the files that came with the package. */
export async function listMachineChecks({ engine, cacheDirectory }: { engine: Engine; cacheDirectory: string }): Promise<Check[]> {
  return [checkNode(process.versions.node), checkMemory(process.availableMemory()), await checkDisk(cacheDirectory), await checkFiles(engine), checkPorts()]
}

/** @example checkNode('20.0.0').state // 'fail' */
export function checkNode(version: string): Check {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  const detail = `Node ${version} on ${platform()} ${arch()}, ${availableParallelism()} cores`
  if (major > minimumNode[0] || (major === minimumNode[0] && minor >= minimumNode[1])) return toOk('node', detail)
  return toFailure('node', `${detail} is too old`, `Install Node ${minimumNode.join('.')} or newer from nodejs.org.`)
}

export function checkMemory(availableBytes: number): Check {
  const detail = `${formatBytes(availableBytes)} of ${formatBytes(totalmem())} can be had`
  if (availableBytes < smallestMemoryBytes) return toFailure('memory', detail, `End other programs: a miner needs ${formatBytes(smallestMemoryBytes)}.`)
  if (availableBytes < comfortableMemoryBytes) return toWarning('memory', `${detail}: small models only`, 'See what fits with `cuckoo miner models --suggest`.')
  return toOk('memory', detail)
}

async function checkDisk(directory: string): Promise<Check> {
  const freeBytes = await getFreeBytes(directory)
  const detail = `${formatBytes(freeBytes)} free for models in ${directory}`
  if (freeBytes < reservedDiskBytes)
    return toFailure('disk', detail, 'Free space with `cuckoo models remove <model>`, or move the cache with CUCKOO_MODELS_CACHE.')
  if (freeBytes < comfortableDiskBytes) return toWarning('disk', detail, 'Move the cache to a larger disk with CUCKOO_MODELS_CACHE.')
  return toOk('disk', detail)
}

async function checkFiles(engine: Engine): Promise<Check> {
  try {
    const models = await engine.listBundledModels()
    if (models.length === 0) return toFailure('offline files', 'the package has none of its models', 'Install cuckoo again.')
    return toOk('offline files', `${models.map(({ model }) => model).join(', ')}: no download needed`)
  } catch (error) {
    return fromError('offline files', error)
  }
}

function checkPorts(): Check {
  return toOk('ports', 'No inbound port is needed: the miner calls its coordinators')
}

/** Every device as probed. Of those that nobody named, one that is not there is no fault. */
export async function listDeviceChecks(engine: Engine, tools: EngineTools, wanted: DeviceName | 'auto'): Promise<Check[]> {
  const devices = await engine.listDevices()
  return devices.map(({ device, available, detail }) => {
    const name = `device ${device}`
    const fix = tools.getDeviceFix(device)
    if (available) return toOk(name, detail)
    if (device === wanted) return { ...fromError(name, deviceUnavailable({ device, reason: detail, nextStep: fix })), detail }
    if (device === 'cuda' && existsSync('/proc/driver/nvidia/version')) return toWarning(name, `an NVIDIA driver is loaded, but ${detail}`, fix)
    return toSkipped(name, detail, hasOwnFix(device) ? fix : null)
  })
}

/** A device of another platform has no fix here. */
function hasOwnFix(device: DeviceName): boolean {
  if (device === 'cuda') return platform() === 'linux' && arch() === 'x64'
  if (device === 'dml') return platform() === 'win32'
  return platform() !== 'linux' || arch() === 'x64'
}
