import { userInfo } from 'node:os'
import { resolve } from 'node:path'
import { z } from 'zod'
import { type ConfigKey, configKeys, type KeyName } from '../../config/keys.ts'
import { serviceSecretExposed, serviceWouldAsk } from '../../errors/service.ts'
import type { Context } from '../context.ts'
import { toFlags } from '../flags.ts'
import { minerOptions } from '../minerOptions.ts'
import { getScriptPath } from '../version.ts'
import type { ServiceSpec } from './serviceSpec.ts'

const zMinerOptions = z.object(minerOptions)

/** Time for the farewell after the last task, in seconds. */
const farewellSeconds = 15

/**
 * The service that starts a miner with `options` and the present configuration. What stands in config.json stays there; what was
 * given by flag or environment is written out.
 * @throws CUCKOO_SERVICE_WOULD_ASK when the account's password is in no file, CUCKOO_SERVICE_SECRET_EXPOSED when a key, a password or
 * a URL with credentials is in the environment only, and what unlocking the account throws
 */
export async function createMinerService(context: Context<never>, options: z.output<typeof zMinerOptions>, scope: ServiceSpec['scope']): Promise<ServiceSpec> {
  const { config, ports } = context
  const { home, privateKeyFile, passwordFile } = config.values
  assertNoSecretsOutside(context)
  const [{ network }, own] = [await ports.getDeployment(), await ports.getOwn()]
  if ((privateKeyFile ?? passwordFile) === undefined) throw serviceWouldAsk({ account: own.name ?? own.address })
  // A file that does not open the account is found now, not at the next start of the machine.
  await ports.getSigner()
  const account = own.name === null ? [] : ['--account', own.name]
  const paths = options.modelsDir === undefined ? {} : { modelsDir: resolve(options.modelsDir) }
  return {
    description: `cuckoo miner (${own.name ?? own.address} on ${network})`,
    command: [
      process.execPath,
      getScriptPath(),
      ...['miner', 'start', '--home', home, '--network', network, ...account],
      ...toConfigFlags(context),
      ...toFlags(zMinerOptions, { ...options, ...paths }),
    ],
    scope,
    user: userInfo().username,
    home,
    stopSeconds: Math.ceil(options.grace / 1000) + farewellSeconds,
  }
}

const outside = ['flag', 'environment']
const kept: readonly KeyName[] = ['rpcUrl', 'deployment', 'privateKeyFile', 'passwordFile', 'timeout', 'logLevel']

function assertNoSecretsOutside({ config }: Context<never>): void {
  for (const [name, instead] of [
    ['privateKey', '`--private-key-file <file>`'],
    ['password', '`--password-file <file>`'],
    ['passwordFd', '`--password-file <file>`'],
  ] as const) {
    const raw = config.findRaw(name)
    if (raw !== undefined) throw serviceSecretExposed({ name: raw.source.name, instead })
  }
  const { rpcUrl } = config.values
  const source = config.findRaw('rpcUrl')?.source
  if (rpcUrl === undefined || source === undefined || !outside.includes(source.kind)) return
  const { username, password } = new URL(rpcUrl)
  if (username !== '' || password !== '') throw serviceSecretExposed({ name: source.name, instead: `"rpcUrl" in config.json of ${config.values.home}` })
}

function toConfigFlags({ config }: Context<never>): string[] {
  return kept.flatMap((name) => {
    const { flag, kind }: ConfigKey = configKeys[name]
    const raw = config.findRaw(name)
    if (flag === null || raw === undefined || !outside.includes(raw.source.kind)) return []
    const text = String(raw.value)
    const isPath = kind === 'path' || (kind === 'fileOrUrl' && !URL.canParse(text))
    return [flag, isPath ? resolve(text) : text]
  })
}
