import { describe, expect, it } from 'vitest'
import { chooseDevice, getDeviceFix, type ProbedDevice, probeDevices } from '../../../src/inference/devices.ts'

const cpu: ProbedDevice = { device: 'cpu', available: true, detail: '8 cores', speedup: 1 }
const gpu = (speedup: number): ProbedDevice => ({ device: 'webgpu', available: true, detail: `speed ${speedup}`, speedup })
const noCuda: ProbedDevice = { device: 'cuda', available: false, detail: 'its provider library is not installed', speedup: 0 }

describe('chooseDevice', () => {
  it('takes the fastest for auto and says why and what else there is', () => {
    expect(chooseDevice('auto', [cpu, gpu(12), noCuda])).toEqual({
      device: 'webgpu',
      reason: 'best here: speed 12 (cpu: 8 cores; cuda: its provider library is not installed)',
    })
    expect(chooseDevice('auto', [cpu, gpu(12), { ...noCuda, available: true, speedup: 40 }]).device).toBe('cuda')
  })

  it('does not take a software adapter for auto', () => {
    expect(chooseDevice('auto', [cpu, gpu(0.01), noCuda]).device).toBe('cpu')
  })

  it('uses a named device even when it is slow, and never another one', () => {
    expect(chooseDevice('webgpu', [cpu, gpu(0.01), noCuda])).toEqual({ device: 'webgpu', reason: 'as asked' })
    expect(() => chooseDevice('cuda', [cpu, gpu(12), noCuda])).toThrow(
      expect.objectContaining({
        code: 'CUCKOO_DEVICE_UNAVAILABLE',
        kind: 'config',
        message: 'The device cuda is not available: its provider library is not installed.',
        hint: expect.stringContaining('--device cpu'),
      }),
    )
  })
})

it.each([
  ['cuda', 'linux', 'x64', /cuckoo miner setup --cuda/],
  ['cuda', 'darwin', 'arm64', /--device webgpu/],
  ['cuda', 'win32', 'x64', /--device webgpu/],
  ['dml', 'linux', 'x64', /--device webgpu/],
  ['webgpu', 'linux', 'x64', /libvulkan1/],
  ['webgpu', 'linux', 'arm64', /^Use --device cpu/],
  ['webgpu', 'win32', 'x64', /driver/],
] as const)('says what to do about %s that is missing on %s %s', (device, platform, arch, fix) => {
  expect(getDeviceFix(device, { platform, arch })).toMatch(fix)
})

it('finds the CPU, and a reason for every device', async () => {
  const devices = await probeDevices()
  expect(devices.map(({ device }) => device)).toEqual(['cpu', 'webgpu', 'cuda', 'dml'])
  expect(devices[0]?.available).toBe(true)
  for (const { detail } of devices) expect(detail).toMatch(/^[^\n]{3,200}$/)
}, 70_000)
