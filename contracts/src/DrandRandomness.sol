// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {IRandomness} from "./interfaces/IRandomness.sol";
import {BN254} from "./libraries/BN254.sol";
import {HashToCurve} from "./libraries/HashToCurve.sol";

/// @title DrandRandomness
/// @notice Rounds of a drand beacon of scheme bls-bn254-unchained-on-g1, such as `evmnet`, verified on chain.
///
/// A BLS signature is a function of key and message, and its only accepted encoding is 64 bytes, x and y of a point of G1,
/// each below the field's modulus. So a round has one proof and one seed, whoever seals it and whenever.
/// @custom:security Whoever holds a threshold of the beacon's key shares knows every seed beforehand.
contract DrandRandomness is IRandomness {
    bytes private constant DST = "BLS_SIG_BN254G1_XMD:KECCAK-256_SVDW_RO_NUL_";

    /// @notice Unix seconds of round 1.
    uint64 public immutable genesisAt;
    /// @notice Seconds from one round to the next.
    uint64 public immutable periodSeconds;

    uint256 private immutable _keyX1;
    uint256 private immutable _keyX0;
    uint256 private immutable _keyY1;
    uint256 private immutable _keyY0;

    /// @inheritdoc IRandomness
    mapping(uint64 round => bytes32 seed) public seedOf;

    /// @notice The key is no point of G2, or infinity, under which every message has the same signature.
    error GroupKeyInvalid();
    error PeriodInvalid();

    /// @param groupKey_ x.c1, x.c0, y.c1, y.c0 of a point of G2: the 128 bytes that drand publishes, cut in four
    /// @param genesis unix seconds of round 1
    /// @param period seconds between two rounds
    constructor(uint256[4] memory groupKey_, uint64 genesis, uint64 period) {
        if (!BN254.isG2(groupKey_)) revert GroupKeyInvalid();
        if (period == 0) revert PeriodInvalid();
        (_keyX1, _keyX0, _keyY1, _keyY0) = (groupKey_[0], groupKey_[1], groupKey_[2], groupKey_[3]);
        (genesisAt, periodSeconds) = (genesis, period);
    }

    /// @notice The beacon's key, in the constructor's order.
    function groupKey() external view returns (uint256[4] memory) {
        return [_keyX1, _keyX0, _keyY1, _keyY0];
    }

    /// @inheritdoc IRandomness
    function roundAt(uint64 timestamp) external view returns (uint64 round) {
        if (timestamp <= genesisAt) return 1;
        return (timestamp - genesisAt - 1) / periodSeconds + 2;
    }

    /// @inheritdoc IRandomness
    function seal(uint64 round, bytes calldata proof) external returns (bytes32 seed) {
        seed = seedOf[round];
        if (seed != 0) return seed;
        // drand counts from 1.
        if (round == 0) revert ProofInvalid(round);
        uint256 reachedAt = genesisAt + uint256(round - 1) * periodSeconds;
        if (block.timestamp < reachedAt) {
            revert RoundNotReached(round, uint64(Math.min(reachedAt, type(uint64).max)));
        }
        if (!_isSignature(round, proof)) revert ProofInvalid(round);

        seed = keccak256(proof);
        seedOf[round] = seed;
        emit Sealed(round, seed);
    }

    /// @dev e(H(message), key) = e(signature, generator of G2), with the signature negated to the other side. The point is
    /// checked here because the precompile takes all gas with a bad one, and accepts infinity.
    function _isSignature(uint64 round, bytes calldata proof) private view returns (bool) {
        if (proof.length != 64) return false;
        (uint256 x, uint256 y) = abi.decode(proof, (uint256, uint256));
        if (!BN254.isG1(x, y)) return false;

        bytes memory message = abi.encodePacked(keccak256(abi.encodePacked(round)));
        (uint256 hashX, uint256 hashY) = HashToCurve.toPoint(message, DST);
        return BN254.isPairingOne(
            [
                x,
                BN254.P - y,
                BN254.G2_X1,
                BN254.G2_X0,
                BN254.G2_Y1,
                BN254.G2_Y0,
                hashX,
                hashY,
                _keyX1,
                _keyX0,
                _keyY1,
                _keyY0
            ]
        );
    }
}
