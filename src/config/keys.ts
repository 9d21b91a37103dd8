/** How the text of a key is read; the schemas stand in parseConfig.ts, so that help can list keys without loading zod. */
export type KeyKind = 'text' | 'path' | 'url' | 'fileOrUrl' | 'switch' | 'presence' | 'duration' | 'bytes' | 'descriptor' | 'logLevel'

export interface ConfigKey {
  /** environment variable, or null: flag only */
  readonly env: string | null
  /** long flag without value, or null: never in arguments */
  readonly flag: string | null
  readonly short?: string
  /** what stands for the value in help */
  readonly placeholder?: string
  /** may stand in config.json under its name */
  readonly file: boolean
  readonly kind: KeyKind
  readonly default?: string
  readonly secret?: true
  /** offered by every command, or only by commands that name the key in an option */
  readonly scope: 'global' | 'command'
  readonly doc: string
}

/** Every configuration key, once. Precedence: flag > environment > $CUCKOO_HOME/config.json > default. */
export const configKeys = {
  json: { env: null, flag: '--json', file: false, kind: 'switch', default: 'false', scope: 'global', doc: 'print results and errors as JSON' },
  network: {
    env: 'CUCKOO_NETWORK',
    flag: '--network',
    placeholder: 'name',
    file: true,
    kind: 'text',
    scope: 'global',
    doc: 'devnet, cuckoo, cuckoo-sepolia or one of your own; the devnet while it runs',
  },
  rpcUrl: {
    env: 'CUCKOO_RPC_URL',
    flag: '--rpc-url',
    placeholder: 'url',
    file: true,
    kind: 'url',
    secret: true,
    scope: 'global',
    doc: "RPC of the chain, instead of the deployment's",
  },
  deployment: {
    env: 'CUCKOO_DEPLOYMENT',
    flag: '--deployment',
    placeholder: 'file|url',
    file: true,
    kind: 'fileOrUrl',
    scope: 'global',
    doc: 'contract addresses, as `deploy --out` writes them',
  },
  home: { env: 'CUCKOO_HOME', flag: '--home', placeholder: 'dir', file: false, kind: 'path', scope: 'global', doc: 'accounts, networks, models, stores' },
  account: { env: 'CUCKOO_ACCOUNT', flag: '--account', placeholder: 'name', file: true, kind: 'text', scope: 'global', doc: 'the account that signs' },
  privateKey: { env: 'CUCKOO_PRIVATE_KEY', flag: null, file: false, kind: 'text', secret: true, scope: 'global', doc: 'a key instead of an account (for CI)' },
  privateKeyFile: {
    env: 'CUCKOO_PRIVATE_KEY_FILE',
    flag: '--private-key-file',
    placeholder: 'file',
    file: true,
    kind: 'path',
    scope: 'global',
    doc: 'a file with a key instead of an account',
  },
  password: { env: 'CUCKOO_PASSWORD', flag: null, file: false, kind: 'text', secret: true, scope: 'global', doc: 'password of the account' },
  passwordFile: {
    env: 'CUCKOO_PASSWORD_FILE',
    flag: '--password-file',
    placeholder: 'file',
    file: true,
    kind: 'path',
    scope: 'global',
    doc: 'a file whose first line is the password',
  },
  passwordFd: {
    env: 'CUCKOO_PASSWORD_FD',
    flag: '--password-fd',
    placeholder: 'number',
    file: false,
    kind: 'descriptor',
    scope: 'global',
    doc: 'an open file descriptor to read the password from',
  },
  yes: { env: 'CUCKOO_YES', flag: '--yes', short: '-y', file: true, kind: 'switch', default: 'false', scope: 'global', doc: 'answer questions with yes' },
  timeout: {
    env: 'CUCKOO_TIMEOUT',
    flag: '--timeout',
    placeholder: 'duration',
    file: true,
    kind: 'duration',
    default: '2m',
    scope: 'global',
    doc: 'longest wait for chain and coordinator, like 90s or 5m',
  },
  logLevel: {
    env: 'CUCKOO_LOG_LEVEL',
    flag: '--log-level',
    placeholder: 'level',
    file: true,
    kind: 'logLevel',
    default: 'warn',
    scope: 'global',
    doc: 'log on stderr: silent, error, warn, info, debug',
  },
  noColor: { env: 'NO_COLOR', flag: '--no-color', file: false, kind: 'presence', default: '', scope: 'global', doc: 'no colours' },
  coordinator: { env: 'CUCKOO_COORDINATOR', flag: null, file: true, kind: 'url', scope: 'command', doc: 'URL of the coordinator that apps use' },
  apiKey: { env: 'CUCKOO_API_KEY', flag: null, file: false, kind: 'text', secret: true, scope: 'command', doc: "an app's API key" },
  apiKeyFile: { env: 'CUCKOO_API_KEY_FILE', flag: null, file: true, kind: 'path', scope: 'command', doc: "a file with an app's API key" },
  beaconUrl: { env: 'CUCKOO_BEACON_URL', flag: null, file: true, kind: 'url', scope: 'command', doc: 'a relay of drand for the seeds of juries' },
  modelsCache: {
    env: 'CUCKOO_MODELS_CACHE',
    flag: null,
    file: true,
    kind: 'path',
    scope: 'command',
    doc: 'where models of the hub are kept; default: models in the home',
  },
  modelsBudget: { env: 'CUCKOO_MODELS_BUDGET', flag: null, file: true, kind: 'bytes', scope: 'command', doc: 'what they may take together, like 50GB' },
  offline: { env: 'CUCKOO_OFFLINE', flag: null, file: true, kind: 'switch', default: 'false', scope: 'command', doc: 'true: no model is downloaded' },
  hubUrl: { env: 'CUCKOO_HUB_URL', flag: null, file: true, kind: 'url', secret: true, scope: 'command', doc: 'a mirror of huggingface.co' },
  hubToken: { env: 'HF_TOKEN', flag: null, file: false, kind: 'text', secret: true, scope: 'command', doc: 'token for gated models of the hub' },
  hubTokenFile: { env: 'HF_TOKEN_PATH', flag: null, file: true, kind: 'path', scope: 'command', doc: 'a file with that token' },
  modelsDir: { env: 'CUCKOO_MODELS_DIR', flag: null, file: true, kind: 'path', scope: 'command', doc: 'folder with models in <owner>/<model>' },
} as const satisfies Record<string, ConfigKey>

export type KeyName = keyof typeof configKeys

/** Keys whose flag every command takes, in the order help shows them. */
export const globalFlags: readonly [KeyName, ConfigKey & { flag: string }][] = (Object.entries(configKeys) as [KeyName, ConfigKey][]).filter(
  (entry): entry is [KeyName, ConfigKey & { flag: string }] => entry[1].scope === 'global' && entry[1].flag !== null,
)
