import { defineRegister } from '../../register.ts'

export const registerMiner = defineRegister('miner', {
  description: `Makes the account a miner: its bond (more than 20,000 CAI, strictly) gives it weight in
the draw of tasks and can be slashed for proven fakes. The node runs with another key,
the operator, which must agree: it signs here, or on its own machine.`,
  examples: [
    { command: 'cuckoo register miner --account alice --operator-account alice-op --name Alice', note: 'bonds all that is free' },
    {
      command: 'cuckoo register miner --name Alice --operator-signature-file op.json',
      note: 'cold owner: the operator signed on its machine (`cuckoo node sign-operator`)',
    },
  ],
})
