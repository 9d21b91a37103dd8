import { globalFlags } from '../config/keys.ts'
import type { ListedCommand } from './context.ts'
import { toFields } from './fields.ts'
import { groupSummaries } from './topics.ts'

export interface CompletionWord {
  word: string
  summary: string
}

/** What may follow a line of words: `''` is `cuckoo` alone, `node` the group, `node show` the command. */
export interface CompletionContext {
  path: string
  words: CompletionWord[]
  flags: CompletionWord[]
}

/** Words and flags of every place on the command line, from the commands themselves. */
export async function toCompletions(entries: readonly ListedCommand[]): Promise<CompletionContext[]> {
  const globals = globalFlags.map(([, key]) => ({ word: key.flag, summary: key.doc }))
  const groups = [...new Set(entries.filter(({ path }) => path.includes(' ')).map(({ path }) => path.split(' ')[0] as string))]
  const tops = [...new Set(entries.map(({ path }) => path.split(' ')[0] as string))]
  const summaryOf = (path: string) => groupSummaries[path] ?? entries.find((entry) => entry.path === path)?.summary ?? ''
  const commands = await Promise.all(
    entries.map(async ({ path, load }) => {
      const { args, options } = await load()
      const choices = toFields(args, 'argument').flatMap((field) => field.choices)
      const flags = toFields(options, 'option').map((field) => ({ word: field.name, summary: field.description ?? '' }))
      return { path, words: choices.map((word) => ({ word, summary: '' })), flags: [...flags, ...globals] }
    }),
  )
  return [
    { path: '', words: tops.map((word) => ({ word, summary: summaryOf(word) })), flags: globals },
    ...groups.map((group) => ({
      path: group,
      words: entries.filter(({ path }) => path.startsWith(`${group} `)).map(({ path, summary }) => ({ word: path.slice(group.length + 1), summary })),
      flags: globals,
    })),
    ...commands,
  ]
}

const quote = (text: string) => `'${text.replaceAll("'", "'\\''")}'`
const list = (words: readonly CompletionWord[]) => words.map(({ word }) => word).join(' ')

/** A bash completion script. */
export function formatBash(contexts: readonly CompletionContext[]): string {
  const cases = contexts.map(({ path, words, flags }) => `    ${quote(path)}) words=${quote(list(words))}; flags=${quote(list(flags))};;`)
  return `# bash completion of cuckoo: cuckoo completion bash
_cuckoo() {
  local current="\${COMP_WORDS[COMP_CWORD]}" path="" word words flags
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case " ${contexts.map(({ path }) => path.replaceAll(' ', '_')).join(' ')} " in
      *" \${path:+\${path}_}$word "*) path="\${path:+\${path}_}$word";;
    esac
  done
  case "\${path//_/ }" in
${cases.join('\n')}
  esac
  if [[ $current == -* ]]; then words=$flags; fi
  if [[ -z $words ]]; then COMPREPLY=($(compgen -f -- "$current")); else COMPREPLY=($(compgen -W "$words" -- "$current")); fi
}
complete -F _cuckoo cuckoo
`
}

/** A zsh completion script. */
export function formatZsh(contexts: readonly CompletionContext[]): string {
  const describe = (words: readonly CompletionWord[]) => words.map(({ word, summary }) => quote(`${word.replaceAll(':', '\\:')}:${summary}`)).join(' ')
  const cases = contexts.map(({ path, words, flags }) => `    ${quote(path)}) found=(${describe(words)}); flags=(${describe(flags)});;`)
  return `#compdef cuckoo
# zsh completion of cuckoo: cuckoo completion zsh
_cuckoo() {
  local line="" word; local -a found flags known
  known=(${contexts.map(({ path }) => quote(path)).join(' ')})
  for word in \${words[2,CURRENT-1]}; do
    if (( \${known[(Ie)\${line:+$line }$word]} )); then line="\${line:+$line }$word"; fi
  done
  case "$line" in
${cases.join('\n')}
  esac
  if [[ \${words[CURRENT]} == -* ]]; then _describe option flags
  elif (( \${#found} )); then _describe command found
  else _files; fi
}
compdef _cuckoo cuckoo
`
}

/** A fish completion script. */
export function formatFish(contexts: readonly CompletionContext[]): string {
  const lines = contexts.flatMap(({ path, words, flags }) => {
    const condition = quote(`__cuckoo_at ${quote(path)}`)
    return [
      ...words.map(({ word, summary }) => `complete -c cuckoo -n ${condition} -f -a ${quote(word)} -d ${quote(summary)}`),
      ...flags.map(({ word, summary }) => `complete -c cuckoo -n ${condition} -l ${word.replace(/^--/, '')} -d ${quote(summary)}`),
    ]
  })
  return `# fish completion of cuckoo: cuckoo completion fish
function __cuckoo_at
    set -l line
    for word in (commandline -opc)[2..-1]
        if contains -- (string join ' ' $line $word) ${contexts.map(({ path }) => quote(path)).join(' ')}
            set line $line $word
        end
    end
    test "$line" = "$argv[1]"
end
${lines.join('\n')}
`
}
