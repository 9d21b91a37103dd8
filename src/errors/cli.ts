import { defineError } from './cuckooError.ts'

export const commandUnknown = defineError('CUCKOO_CLI_COMMAND_UNKNOWN', 'usage', (f: { command: string; suggestion: string | null; parent: string }) => ({
  message: `There is no command '${f.command}'.`,
  hint: f.suggestion === null ? `\`${f.parent} --help\` lists the commands.` : `Did you mean \`${f.suggestion}\`?`,
}))
export const commandIncomplete = defineError('CUCKOO_CLI_COMMAND_INCOMPLETE', 'usage', (f: { command: string; children: string }) => ({
  message: `\`${f.command}\` needs one more word: ${f.children}.`,
  hint: `\`${f.command} --help\` says what each does.`,
}))
export const flagUnknown = defineError(
  'CUCKOO_CLI_FLAG_UNKNOWN',
  'usage',
  (f: { flag: string; command: string; suggestion: string | null; takesText: boolean }) => ({
    message: `\`${f.command}\` has no option '${f.flag}'.`,
    hint:
      f.suggestion === null
        ? `\`${f.command} --help\` lists the options.${f.takesText ? ` For a text that starts with '-', put -- before it: ${f.command} -- '${f.flag}'` : ''}`
        : `Did you mean ${f.suggestion}?`,
  }),
)
export const flagValueMissing = defineError('CUCKOO_CLI_FLAG_VALUE_MISSING', 'usage', (f: { flag: string; command: string }) => ({
  message: `The option '${f.flag}' needs a value.`,
  hint: `\`${f.command} --help\` shows what it takes.`,
}))
export const argumentMissing = defineError('CUCKOO_CLI_ARGUMENT_MISSING', 'usage', (f: { argument: string; command: string; usage: string }) => ({
  message: `\`${f.command}\` needs <${f.argument}>.`,
  hint: `Write it like: ${f.usage}`,
}))
export const argumentExcess = defineError('CUCKOO_CLI_ARGUMENT_EXCESS', 'usage', (f: { argument: string; command: string; usage: string }) => ({
  message: `\`${f.command}\` does not know what to do with '${f.argument}'.`,
  hint: f.usage === f.command ? `It takes options alone: \`${f.command} --help\` lists them.` : `Write it like: ${f.usage}. Put a text with spaces in quotes.`,
}))
export const valueInvalid = defineError('CUCKOO_CLI_VALUE_INVALID', 'usage', (f: { name: string; value: string; problem: string; command: string }) => ({
  message: `'${f.value}' (${f.name}) ${f.problem}.`,
  hint: `\`${f.command} --help\` shows what it takes.`,
}))
export const optionUnfit = defineError('CUCKOO_CLI_OPTION_UNFIT', 'usage', (f: { option: string; where: string }) => ({
  message: `${f.option} means nothing ${f.where}.`,
  hint: 'Leave it out.',
}))
export const addressInvalid = defineError('CUCKOO_ADDRESS_INVALID', 'usage', (f: { value: string; problem: string }) => ({
  message: `'${f.value}' is not an address: ${f.problem}.`,
  hint: 'Copy it again; `cuckoo account list` and `cuckoo nodes` show addresses.',
}))
export const terminalRequired = defineError('CUCKOO_CLI_TERMINAL_REQUIRED', 'usage', (f: { question: string; instead: string }) => ({
  message: `There is no terminal to ask on: ${f.question}`,
  hint: `Give ${f.instead}.`,
}))
export const answeredNo = defineError('CUCKOO_CLI_ANSWERED_NO', 'usage', (f: { question: string }) => ({
  message: `Nothing was done: '${f.question}' was not answered with yes.`,
  hint: 'Give --yes to answer it beforehand.',
}))
export const nothingToDo = defineError('CUCKOO_CLI_NOTHING_TO_DO', 'rejected', (f: { what: string; next: string }) => ({ message: `${f.what}.`, hint: f.next }))
export const fileUnreadable = defineError('CUCKOO_CLI_FILE_UNREADABLE', 'usage', (f: { path: string; reason: string }) => ({
  message: `The file ${f.path} cannot be read: ${f.reason}.`,
  hint: 'Check the path and its permissions.',
}))
export const fileExists = defineError('CUCKOO_CLI_FILE_EXISTS', 'usage', (f: { path: string }) => ({
  message: `The file ${f.path} exists already.`,
  hint: 'Give another path, or move that file away: nothing is overwritten.',
}))
export const fileUnwritable = defineError('CUCKOO_CLI_FILE_UNWRITABLE', 'unavailable', (f: { path: string; reason: string }) => ({
  message: `The file ${f.path} cannot be written: ${f.reason}.`,
  hint: 'Check the folder, its permissions and the free space.',
}))
export const folderMissing = defineError('CUCKOO_CLI_FOLDER_MISSING', 'usage', (f: { path: string; folder: string }) => ({
  message: `The file ${f.path} cannot be written: there is no folder ${f.folder}.`,
  hint: 'Make the folder, or give another path.',
}))
export const operatorUnproven = defineError('CUCKOO_CLI_OPERATOR_UNPROVEN', 'usage', () => ({
  message: 'A node needs an operator: the account that its machine runs with, which has to sign for it.',
  hint: 'Give --operator-account <name> for an account kept here, or --operator <address> --operator-signature-file <file> with what `cuckoo node sign-operator` wrote on its machine.',
}))
export const operatorSignatureUnfit = defineError('CUCKOO_CLI_OPERATOR_SIGNATURE_UNFIT', 'usage', (f: { path: string; problem: string }) => ({
  message: `The operator signature in ${f.path} does not fit: ${f.problem}.`,
  hint: "Make a new one on the operator's machine with `cuckoo node sign-operator <owner> <role> --out <file>`.",
}))
export const coordinatorMissing = defineError('CUCKOO_CLI_COORDINATOR_MISSING', 'config', () => ({
  message: 'No coordinator is named, and no devnet runs here.',
  hint: 'Give --coordinator <url> or CUCKOO_COORDINATOR (`cuckoo nodes --role coordinator` lists them), or start one with `cuckoo devnet start`.',
}))
export const apiKeyNeeded = defineError('CUCKOO_CLI_API_KEY_NEEDED', 'denied', () => ({
  message: 'No API key is given.',
  hint: "Give CUCKOO_API_KEY or --api-key-file <file>; the coordinator's operator makes one with `cuckoo apps create <name>`.",
}))
export const receiptInvalid = defineError('CUCKOO_CLI_RECEIPT_INVALID', 'invalid', (f: { receipt: string; failed: string }) => ({
  message: `The receipt ${f.receipt} does not hold: ${f.failed}.`,
  hint: 'Keep the file: it is evidence. Ask the coordinator, and name the task.',
}))
export const receiptUnreadable = defineError('CUCKOO_CLI_RECEIPT_UNREADABLE', 'invalid', (f: { source: string; problem: string }) => ({
  message: `${f.source} is not a receipt: ${f.problem}.`,
  hint: '`cuckoo receipt show <taskId> --json` prints one that can be kept in a file.',
}))
export const faucetElsewhere = defineError('CUCKOO_CLI_FAUCET_ELSEWHERE', 'config', (f: { network: string; places: string }) => ({
  message: `The faucet works on the devnet only, not on '${f.network}'.`,
  hint: f.places,
}))
export const optionMissing = defineError('CUCKOO_CLI_OPTION_MISSING', 'usage', (f: { flag: string; command: string }) => ({
  message: `\`${f.command}\` needs ${f.flag}.`,
  hint: `\`${f.command} --help\` shows examples.`,
}))
export const passwordUnusable = defineError('CUCKOO_CLI_PASSWORD_UNUSABLE', 'usage', (f: { problem: string }) => ({
  message: `This password cannot be used: ${f.problem}.`,
  hint: 'Nothing was changed: try again.',
}))
export const operatorNotRegistered = defineError('CUCKOO_OPERATOR_NOT_REGISTERED', 'rejected', (f: { operator: string; role: string; network: string }) => ({
  message: `The key ${f.operator} is not the operator of a ${f.role} on '${f.network}'.`,
  hint: `Register with \`cuckoo register ${f.role} --operator-account <name>\`, or choose the operator's account with --account.`,
}))
export const coordinatorNotRegistered = defineError('CUCKOO_CLI_COORDINATOR_NOT_REGISTERED', 'rejected', (f: { node: string; network: string }) => ({
  message: `${f.node} is not a registered coordinator on '${f.network}'.`,
  hint: 'See them with `cuckoo nodes --role coordinator`; become one with `cuckoo register coordinator`.',
}))
export const coordinatorStoreMissing = defineError('CUCKOO_CLI_COORDINATOR_STORE_MISSING', 'usage', (f: { network: string; known: readonly string[] }) => ({
  message:
    f.known.length === 0
      ? `No coordinator of '${f.network}' keeps its store in this home.`
      : `${f.known.length} coordinators of '${f.network}' keep their store in this home.`,
  hint: `Name one with --coordinator <address>${f.known.length === 0 ? '' : `: ${f.known.join(', ')}`}.`,
}))
export const appUnknown = defineError('CUCKOO_CLI_APP_UNKNOWN', 'usage', (f: { id: string }) => ({
  message: `There is no app '${f.id}'.`,
  hint: '`cuckoo apps list` shows the ids.',
}))
