import { z } from 'zod'
import { formatBash, formatFish, formatZsh, toCompletions } from '../completions.ts'
import { defineCommand } from '../defineCommand.ts'

export const completion = defineCommand({
  description: 'Prints a completion script for a shell, made from the commands themselves.',
  examples: [
    { command: 'cuckoo completion bash > ~/.local/share/bash-completion/completions/cuckoo', note: 'bash' },
    { command: 'cuckoo completion zsh > ~/.zfunc/_cuckoo', note: 'zsh, with ~/.zfunc in fpath' },
    { command: 'cuckoo completion fish > ~/.config/fish/completions/cuckoo.fish', note: 'fish' },
  ],
  args: z.object({ shell: z.enum(['bash', 'zsh', 'fish']).describe('for which shell') }),
  options: z.object({}),
  output: z.object({ shell: z.string(), script: z.string() }),
  async run({ args }, { entries }) {
    const format = { bash: formatBash, zsh: formatZsh, fish: formatFish }[args.shell]
    return { shell: args.shell, script: format(await toCompletions(entries)) }
  },
  view({ script }, screen) {
    screen.write(script)
  },
})
