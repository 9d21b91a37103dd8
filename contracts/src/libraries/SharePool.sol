// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";

/// @dev Money of many holders in one slot.
/// @param assetsWei what the pool holds
/// @param shares the holders' shares of it
/// @param generation raised when a slash empties the pool, which makes every older share worthless and lets new holders in
struct Pool {
    uint96 assetsWei;
    uint128 shares;
    uint32 generation;
}

/// @title SharePool
/// @notice Shares of a pool whose assets a slash may lower, so that all holders lose in one ratio without a loop.
/// Every rounding is down, in the pool's favour.
///
/// Whoever lowers `assetsWei` other than by {exit} keeps `shares <= assetsWei * VIRTUAL_SHARES * 2^12` or else empties the
/// pool and raises `generation`. With assets below 2^96 and VIRTUAL_SHARES below 2^20 shares then fit 128 bits, {enter}
/// cannot overflow, and nobody's exit is blocked by the remains of a slashed pool.
library SharePool {
    using SafeCast for uint256;

    /// @dev Shares that belong to nobody, against 1 wei of assets that belongs to nobody: the first holder cannot set the
    /// price, and at 10^6 shares per wei a share rounded away is worth a millionth of a wei.
    uint256 internal constant VIRTUAL_SHARES = 1e6;

    /// @notice Shares that `assetsWei` buys, rounded down.
    function toShares(Pool memory pool, uint256 assetsWei) internal pure returns (uint256) {
        // Below 2^96 * (2^128 + 2^20): no overflow, so no 512-bit arithmetic.
        return assetsWei * (pool.shares + VIRTUAL_SHARES) / (uint256(pool.assetsWei) + 1);
    }

    /// @notice What `shares` of `generation` are worth in wei, rounded down; 0 for shares of an older generation.
    function toAssets(Pool memory pool, uint256 shares, uint32 generation) internal pure returns (uint256) {
        if (generation != pool.generation) return 0;
        return shares * (uint256(pool.assetsWei) + 1) / (pool.shares + VIRTUAL_SHARES);
    }

    /// @notice Adds `assetsWei` and returns the shares it bought.
    function enter(Pool storage self, uint256 assetsWei) internal returns (uint256 shares) {
        Pool memory pool = self;
        shares = toShares(pool, assetsWei);
        pool.assetsWei += assetsWei.toUint96();
        pool.shares += shares.toUint128();
        _store(self, pool);
    }

    /// @notice Takes out what `shares` of `generation` are worth. The last to leave also empties the pool of `dustWei`, what
    /// rounding has left behind.
    function exit(Pool storage self, uint256 shares, uint32 generation)
        internal
        returns (uint256 assetsWei, uint256 dustWei)
    {
        Pool memory pool = self;
        if (generation != pool.generation) return (0, 0);
        assetsWei = toAssets(pool, shares, generation);
        pool.assetsWei -= assetsWei.toUint96();
        pool.shares -= shares.toUint128();
        if (pool.shares == 0) {
            dustWei = pool.assetsWei;
            pool.assetsWei = 0;
        }
        _store(self, pool);
    }

    /// @dev One write: field by field the compiler would write the slot once per field.
    function _store(Pool storage self, Pool memory pool) private {
        (self.assetsWei, self.shares, self.generation) = (pool.assetsWei, pool.shares, pool.generation);
    }
}
