import { z } from 'zod'
import { zBytes } from '../config/parseValue.ts'
import { type DeviceName, deviceNames } from '../domain/enginePort.ts'
import { dtypes } from '../domain/manifest.ts'
import { defaultMaxUnpaid } from '../miner/minerConfig.ts'
import { parseAddress } from './party.ts'
import { zAmount, zDuration, zInteger } from './schemas.ts'

const deviceSlotsPattern = new RegExp(`^(${deviceNames.join('|')})=([1-9]|[1-5]\\d|6[0-4])$`)

/** A host and port like 127.0.0.1:9464 or [::1]:9464; a port alone is on loopback. */
const listenPattern = /^(?:(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9.-]+):)?(\d{1,5})$/

/** What a miner is started with: options of `miner start`, which `miner install-service` keeps for later. */
export const minerOptions = {
  model: z.array(z.string().min(1)).default([]).describe('model to offer: owner/model, owner/model:q8, owner/model@commit').meta({ placeholder: 'model' }),
  modelsDir: z.string().optional().describe('folder with models in <owner>/<model>, searched first').meta({ config: 'modelsDir', placeholder: 'dir' }),
  dtype: z.enum(dtypes).default('fp32').describe('weights, where the model names none').meta({ placeholder: 'dtype' }),
  device: z
    .enum(['auto', ...deviceNames])
    .default('auto')
    .describe('auto takes the best that is there; a named one is used or refused')
    .meta({ placeholder: 'device' }),
  slots: zInteger(1, 64).prefault('1').describe('tasks at a time, over all coordinators').meta({ placeholder: 'number' }),
  deviceSlots: z
    .array(z.string().regex(deviceSlotsPattern, `is not like webgpu=1, with a number from 1 to 64`))
    .default([])
    .describe('tasks at a time on one device, like webgpu=1')
    .meta({ placeholder: 'device=number' }),
  memory: zBytes
    .refine((bytes) => bytes >= 1e6, 'is less than a megabyte')
    .optional()
    .describe('what loaded models may take together, like 8GB; default: no limit')
    .meta({ placeholder: 'size' }),
  pin: z.array(z.string().min(1)).default([]).describe('model that stays loaded when others need memory').meta({ placeholder: 'model' }),
  coordinator: z.array(z.string()).default([]).describe('only these: address or URL').meta({ placeholder: 'coordinator' }),
  block: z.array(z.string().transform(parseAddress)).default([]).describe('never these').meta({ placeholder: 'address' }),
  minPrice: zAmount.prefault('0').describe('CAI per unit below which tasks are given back').meta({ placeholder: 'amount' }),
  unpaid: zInteger(1, 1000)
    .prefault(String(defaultMaxUnpaid))
    .describe('results to give a coordinator on credit before work for it stops')
    .meta({ placeholder: 'number' }),
  redeemAbove: zAmount.optional().describe('CAI from which vouchers are redeemed by itself; default: never').meta({ placeholder: 'amount' }),
  allowPrivate: z.boolean().default(false).describe('coordinators at private addresses and plain http too (always so on the devnet)'),
  metricsListen: z
    .string()
    .regex(listenPattern, 'is not like 127.0.0.1:9464')
    .optional()
    .describe('serve /healthz, /readyz and /metrics there, like 127.0.0.1:9464; default: nowhere')
    .meta({ placeholder: 'host:port' }),
  grace: zDuration.prefault('20s').describe('how long stopping waits for running tasks').meta({ placeholder: 'duration' }),
}

/** @example parseListen('9464') // { host: '127.0.0.1', port: 9464 } */
export function parseListen(text: string): { host: string; port: number } {
  const [, host = '127.0.0.1', port] = listenPattern.exec(text) ?? []
  return { host: host.replace(/^\[|\]$/g, ''), port: Number(port) }
}

/** @example parseDeviceSlots(['webgpu=1']) // { webgpu: 1 } */
export function parseDeviceSlots(texts: readonly string[]): Partial<Record<DeviceName, number>> {
  return Object.fromEntries(texts.map((text) => text.split('=') as [DeviceName, string]).map(([device, slots]) => [device, Number(slots)]))
}
