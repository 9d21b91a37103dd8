// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";

/// @dev Money of many holders, as it is worked on.
/// @param assetsWei what the pool holds
/// @param shares the holders' shares of it
/// @param generation raised when a slash empties the pool, which makes every older share worthless and lets new holders in
struct Pool {
    uint256 assetsWei;
    uint256 shares;
    uint256 generation;
}

/// @dev A {Pool} in one slot.
struct StoredPool {
    uint96 assetsWei;
    uint128 shares;
    uint32 generation;
}

/// @title SharePool
/// @notice Shares of a pool whose assets a slash may lower, so that all holders lose in one ratio without a loop.
/// Every rounding is in the pool's favour.
///
/// {lower} keeps `shares + VIRTUAL_SHARES <= (assetsWei + 1) * VIRTUAL_SHARES * 2^12`, a price that has not fallen below
/// 1/4,096, or else empties the pool and raises `generation`. {sell}, {enter} and {exit} keep it too. With assets below 2^96
/// and VIRTUAL_SHARES below 2^20, shares then fit 128 bits, {enter} cannot overflow, and what a slash leaves of a pool never
/// blocks an exit into it. Whoever raises `assetsWei` other than by {sell} and {enter} does so only while there are shares: an
/// empty pool has no assets, and its first holder gets VIRTUAL_SHARES for each wei.
///
/// A pool is worked on in memory: {load} and {save} are one read and one write.
library SharePool {
    using SafeCast for uint256;

    /// @dev Shares that belong to nobody, against 1 wei of assets that belongs to nobody: the first holder cannot set the
    /// price, and at 10^6 shares per wei a share rounded away is worth a millionth of a wei.
    uint256 internal constant VIRTUAL_SHARES = 1e6;
    /// @dev The price below which a pool is emptied: 1/4,096 of a fresh one's.
    uint256 internal constant MAX_PRICE_FALL = 2 ** 12;

    /// @notice Shares that `assetsWei` buys, rounded down.
    function toShares(Pool memory self, uint256 assetsWei) internal pure returns (uint256) {
        // Below 2^96 * (2^128 + 2^20): no overflow, so no 512-bit arithmetic.
        return assetsWei * (self.shares + VIRTUAL_SHARES) / (self.assetsWei + 1);
    }

    /// @notice What `shares` are worth in wei, rounded down.
    function toAssets(Pool memory self, uint256 shares) internal pure returns (uint256) {
        return shares * (self.assetsWei + 1) / (self.shares + VIRTUAL_SHARES);
    }

    /// @notice `shares` if they are of the pool's present generation, else 0.
    function liveShares(Pool memory self, uint256 shares, uint256 generation) internal pure returns (uint256) {
        return generation == self.generation ? shares : 0;
    }

    /// @notice Sells as many shares as `offeredWei` pays for, at what they are worth, rounded up to a wei. Where rewards have
    /// lifted a share's price over a wei, that may be up to a share less than offered: put in whole, it would be the others'.
    function sell(Pool memory self, uint256 offeredWei) internal pure returns (uint256 shares, uint256 paidWei) {
        shares = toShares(self, offeredWei);
        // At most offeredWei, and below 2^96 * (2^128 + 2^20) before the division.
        paidWei = Math.ceilDiv(shares * (self.assetsWei + 1), self.shares + VIRTUAL_SHARES);
        self.assetsWei += paidWei;
        self.shares += shares;
    }

    /// @notice Adds `assetsWei`, all of it, and returns the shares it bought.
    function enter(Pool memory self, uint256 assetsWei) internal pure returns (uint256 shares) {
        shares = toShares(self, assetsWei);
        self.assetsWei += assetsWei;
        self.shares += shares;
    }

    /// @notice Takes out what live `shares` are worth. The last to leave also empties the pool of `dustWei`, what rounding has
    /// left behind.
    function exit(Pool memory self, uint256 shares) internal pure returns (uint256 assetsWei, uint256 dustWei) {
        assetsWei = toAssets(self, shares);
        self.assetsWei -= assetsWei;
        self.shares -= shares;
        if (self.shares == 0) (dustWei, self.assetsWei) = (self.assetsWei, 0);
    }

    /// @notice Takes `assetsWei` (at most all) from all holders in one ratio, and returns it. A pool that falls below the price
    /// floor is emptied, and all that was in it returned.
    function lower(Pool memory self, uint256 assetsWei) internal pure returns (uint256 takenWei) {
        self.assetsWei -= assetsWei;
        uint256 mostShares = (self.assetsWei + 1) * VIRTUAL_SHARES * MAX_PRICE_FALL;
        if (self.shares + VIRTUAL_SHARES <= mostShares) return assetsWei;
        takenWei = assetsWei + self.assetsWei;
        (self.assetsWei, self.shares, self.generation) = (0, 0, self.generation + 1);
    }

    function load(StoredPool storage self) internal view returns (Pool memory) {
        return Pool(self.assetsWei, self.shares, self.generation);
    }

    function save(StoredPool storage self, Pool memory pool) internal {
        (uint96 assetsWei, uint128 shares) = (pool.assetsWei.toUint96(), pool.shares.toUint128());
        (self.assetsWei, self.shares, self.generation) = (assetsWei, shares, uint32(pool.generation));
    }
}
