import { defineRegister } from '../../register.ts'

export const registerCoordinator = defineRegister('coordinator', {
  description: `Makes the account a coordinator: its bond (more than 2,000,000 CAI, strictly) stands for
what it promises apps and miners. The URL is public: miners and apps find it there. The
node runs with another key, the operator, which must agree.`,
  examples: [
    {
      command: 'cuckoo register coordinator --operator-account hot --name Ada --url https://ada.example',
      note: 'bonds all that is free',
    },
    { command: 'cuckoo register coordinator … --bond 2100000 --dry-run', note: 'only what it would cost' },
  ],
})
