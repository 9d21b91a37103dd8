import type { Suite } from '../breakages.ts'

/** Seeds by drand and by block hash, hashing to the curve and pairings. */
export const randomness: Suite = {
  name: 'randomness',
  tests: ['unit/{BlockhashRandomness,DrandRandomness,HashToCurve}.t.sol', 'fuzz/HashToCurve.t.sol'],
  files: [
    [
      'contracts/src/libraries/HashToCurve.sol',
      [
        {
          name: 'the sign of y is not fixed',
          from: 'if (y % 2 != u % 2) y = P - y;',
          to: '',
          red: ['test_publishedRoundsAreSealed', 'test_roundIsSealedFromItsTimeOn', 'test_hashOfArkworks'],
        },
        {
          name: 'the wrong length in the domain',
          from: 'uint16(96)',
          to: 'uint16(64)',
          red: ['test_publishedRoundsAreSealed', 'test_roundIsSealedFromItsTimeOn', 'test_hashOfArkworks'],
        },
        {
          name: 'no chaining of the blocks',
          from: 'b0 ^ b1',
          to: 'b1',
          red: ['test_publishedRoundsAreSealed', 'test_roundIsSealedFromItsTimeOn', 'test_hashOfArkworks'],
        },
        {
          name: 'half of the hash is cut off',
          from: 'uint256(b2) >> 128',
          to: 'uint128(uint256(b2))',
          red: ['test_publishedRoundsAreSealed', 'test_roundIsSealedFromItsTimeOn', 'test_hashOfArkworks'],
        },
        {
          name: 'the hash is one off',
          from: 'type(uint256).max % P + 1',
          to: 'type(uint256).max % P',
          red: ['test_publishedRoundsAreSealed', 'test_roundIsSealedFromItsTimeOn', 'test_hashOfArkworks'],
        },
        {
          name: 'the second candidate is skipped',
          from: 'x = addmod(C2, offset, P);',
          to: '',
          red: ['test_publishedRoundsAreSealed', 'test_hashOfArkworks', 'test_mapOfGnark'],
        },
        {
          name: 'the second root is not taken',
          from: '(y,) = _root(x);',
          to: '',
          red: ['test_chainWithoutPrecompilesIsRefused', 'test_publishedRoundsAreSealed', 'test_roundIsSealedFromItsTimeOn'],
        },
        {
          name: 'a constant of the map is negated',
          from: 'C3 = 0x16789af3a83522eb353c98fc6b36d713d5d8d1cc5dffffffa',
          to: 'C3 = P - 0x16789af3a83522eb353c98fc6b36d713d5d8d1cc5dffffffa',
          red: ['test_publishedRoundsAreSealed', 'test_roundIsSealedFromItsTimeOn', 'test_constantsAreTheRfcs'],
        },
      ],
    ],
    [
      'contracts/src/libraries/BN254.sol',
      [
        {
          name: 'x beyond the field',
          from: 'return x < P && y < P &&',
          to: 'return y < P &&',
          red: ['test_otherEncodingsAreInvalid'],
        },
        {
          name: 'y beyond the field',
          from: 'return x < P && y < P &&',
          to: 'return x < P &&',
          red: ['test_otherEncodingsAreInvalid'],
        },
        {
          name: 'a point of zeros is a key',
          from: 'if (point[0] | point[1] | point[2] | point[3] == 0) return false;',
          to: '',
          red: ['test_keysThatAreNoPointAreRefused'],
        },
        {
          name: 'a long answer of the precompile',
          from: 'return called && answer.length == 32;',
          to: 'return called;',
          red: ['test_chainWithoutPrecompilesIsRefused'],
        },
        {
          name: 'any answer of the precompile',
          from: 'return called && answer.length == 32;',
          to: 'return true;',
          red: ['test_chainWithoutPrecompilesIsRefused', 'test_keyOutsideTheSubgroupIsRefused', 'test_keysThatAreNoPointAreRefused'],
        },
        {
          name: 'a short answer passes',
          from: 'if (!called || answer.length != length)',
          to: 'if (!called)',
          red: ['test_chainWithoutPrecompilesIsRefused'],
        },
        {
          name: 'any product of pairings',
          from: '(uint256)) == 1;',
          to: '(uint256)) < 2;',
          red: ['test_signatureOfAnotherRoundIsInvalid', 'test_signatureUnderAnotherKeyIsInvalid'],
        },
      ],
    ],
    [
      'contracts/src/DrandRandomness.sol',
      [
        {
          name: 'a longer proof',
          from: 'if (proof.length != 64) return false;',
          to: 'if (proof.length < 64) return false;',
          red: ['test_otherLengthsAreInvalid'],
        },
        {
          name: 'a point off the curve',
          from: 'if (!BN254.isG1(x, y)) return false;',
          to: '',
          red: ['test_badPointCostsLittle', 'test_infinityIsInvalid', 'test_pointsOffTheCurveAreInvalid'],
        },
        {
          name: 'a sealed round is sealed again',
          from: 'if (seed != 0) return seed;',
          to: '',
          red: ['test_aSealedRoundNeedsNoProof'],
        },
        {
          name: 'round zero is the first',
          from: 'if (round == 0) revert ProofInvalid(round);',
          to: 'if (round == 0) round = 1;',
          red: ['test_roundZeroDoesNotExist'],
        },
        {
          name: 'sealed a second late',
          from: 'if (block.timestamp < reachedAt) {',
          to: 'if (block.timestamp <= reachedAt) {',
          red: ['test_badPointCostsLittle', 'test_chainWithoutPrecompilesIsRefused', 'test_infinityIsInvalid'],
        },
        {
          name: 'sealed a second early',
          from: 'if (block.timestamp < reachedAt) {',
          to: 'if (block.timestamp + 1 < reachedAt) {',
          red: ['test_roundIsSealedFromItsTimeOn'],
        },
        {
          name: 'rounds come a period late',
          from: 'uint256(round - 1) * periodSeconds',
          to: 'uint256(round) * periodSeconds',
          red: ['test_badPointCostsLittle', 'test_chainWithoutPrecompilesIsRefused', 'test_infinityIsInvalid'],
        },
        {
          name: 'the time of a far round wraps',
          from: 'uint64(Math.min(reachedAt, type(uint64).max))',
          to: 'uint64(reachedAt)',
          red: ['test_roundsBeyondTimeAreNotReached'],
        },
        {
          name: 'the seed depends on who seals',
          from: 'seed = keccak256(proof);',
          to: 'seed = keccak256(abi.encode(proof, block.number));',
          red: ['test_publishedRoundsAreSealed'],
        },
        {
          name: 'the seed is forgotten',
          from: 'seedOf[round] = seed;',
          to: '',
          red: ['test_publishedRoundsAreSealed'],
        },
        {
          name: 'nothing is announced',
          from: 'emit Sealed(round, seed);',
          to: '',
          red: ['test_publishedRoundsAreSealed'],
        },
        {
          name: 'genesis is the second round',
          from: 'if (timestamp <= genesisAt) return 1;',
          to: 'if (timestamp < genesisAt) return 1;',
          red: ['test_roundAtIsTheFirstAtOrAfter'],
        },
        {
          name: 'the round at a time is one early',
          from: '/ periodSeconds + 2',
          to: '/ periodSeconds + 1',
          red: ['test_roundAtIsTheFirstAtOrAfter'],
        },
        {
          name: 'the signature is not negated',
          from: 'BN254.P - y,',
          to: 'y,',
          red: ['test_publishedRoundsAreSealed', 'test_roundIsSealedFromItsTimeOn'],
        },
        {
          name: 'one message for all rounds',
          from: 'abi.encodePacked(keccak256(abi.encodePacked(round)))',
          to: 'abi.encodePacked(keccak256(abi.encodePacked(uint64(1))))',
          red: ['test_publishedRoundsAreSealed', 'test_roundIsSealedFromItsTimeOn'],
        },
        {
          name: 'any group key',
          from: 'if (!BN254.isG2(groupKey_)) revert GroupKeyInvalid();',
          to: '',
          red: ['test_chainWithoutPrecompilesIsRefused', 'test_keyOutsideTheSubgroupIsRefused', 'test_keysThatAreNoPointAreRefused'],
        },
        {
          name: 'a period of zero',
          from: 'if (period == 0) revert PeriodInvalid();',
          to: '',
          red: ['test_periodZeroIsRefused'],
        },
        {
          name: 'the key is read back in another order',
          from: 'return [_keyX1, _keyX0, _keyY1, _keyY0];',
          to: 'return [_keyX0, _keyX1, _keyY0, _keyY1];',
          red: ['test_parametersAreReadBack'],
        },
        {
          name: 'another suite of hashing',
          from: '_SVDW_RO_NUL_',
          to: '_SVDW_RO_',
          red: ['test_publishedRoundsAreSealed', 'test_roundIsSealedFromItsTimeOn'],
        },
      ],
    ],
    [
      'contracts/src/BlockhashRandomness.sol',
      [
        {
          name: 'block hash on every chain',
          from: 'if (block.chainid != DEVNET) revert ChainUnsupported(block.chainid);',
          to: '',
          red: ['test_onTheDevnetAlone'],
        },
        {
          name: 'block hash: sealed again',
          from: 'if (seed != 0) return seed;',
          to: '',
          red: ['test_aSealedRoundKeepsItsSeed'],
        },
        {
          name: 'block hash: sealed a second late',
          from: 'if (block.timestamp < round)',
          to: 'if (block.timestamp <= round)',
          red: ['test_roundIsSealedFromItsSecondOn', 'test_roundsSealedInOneBlockDiffer'],
        },
        {
          name: 'block hash: sealed before its time',
          from: 'if (block.timestamp < round) revert RoundNotReached(round, round);',
          to: '',
          red: ['test_roundIsSealedFromItsSecondOn'],
        },
        {
          name: 'block hash: one seed for all rounds',
          from: ', round));',
          to: '));',
          red: ['test_roundIsSealedFromItsSecondOn', 'test_roundsSealedInOneBlockDiffer'],
        },
      ],
    ],
  ],
  invariants: [],
}
