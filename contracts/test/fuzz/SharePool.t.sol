// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";

import {Pool, SharePool} from "../../src/libraries/SharePool.sol";
import {TestBase} from "../utils/TestBase.sol";
import {vm} from "../utils/Vm.sol";

/// @notice The pool's arithmetic over every state that a pool may be in, far beyond what the contract's tests reach.
contract SharePoolFuzz is TestBase {
    using SharePool for Pool;

    uint256 private constant MOST = type(uint96).max;

    /// @dev Any pool with a price from 1/4,096 of a fresh one's up to 2^32 times it.
    function _pool(uint256 assetsSeed, uint256 sharesSeed) private pure returns (Pool memory pool) {
        pool.assetsWei = uint96(_bound(assetsSeed, 0, MOST));
        uint256 most = (uint256(pool.assetsWei) + 1) * VIRTUAL_SHARES * 4096 - VIRTUAL_SHARES;
        pool.shares = uint128(_bound(sharesSeed, most >> 44, Math.min(most, type(uint128).max)));
    }

    function testFuzz_enterAndExitNeverOverflow(uint256 assetsSeed, uint256 sharesSeed, uint256 amountSeed)
        public
        pure
    {
        Pool memory pool = _pool(assetsSeed, sharesSeed);
        uint256 amount = _bound(amountSeed, 0, MOST - pool.assetsWei);
        Pool memory twin = Pool(pool.assetsWei, pool.shares, pool.generation);
        twin.sell(amount);
        vm.assertLe(
            twin.shares + VIRTUAL_SHARES, (twin.assetsWei + 1) * VIRTUAL_SHARES * 4096, "a sale keeps the price"
        );
        uint256 shares = pool.enter(amount);
        vm.assertLe(
            uint256(pool.shares) + VIRTUAL_SHARES,
            (uint256(pool.assetsWei) + 1) * VIRTUAL_SHARES * 4096,
            "enter keeps the price"
        );
        pool.exit(shares);
        vm.assertLe(
            uint256(pool.shares) + VIRTUAL_SHARES,
            (uint256(pool.assetsWei) + 1) * VIRTUAL_SHARES * 4096,
            "exit keeps the price"
        );
    }

    function testFuzz_enterThenExitNeverProfits(uint256 assetsSeed, uint256 sharesSeed, uint256 amountSeed)
        public
        pure
    {
        Pool memory pool = _pool(assetsSeed, sharesSeed);
        uint256 amount = _bound(amountSeed, 0, MOST - pool.assetsWei);
        Pool memory twin = Pool(pool.assetsWei, pool.shares, pool.generation);
        (uint256 back,) = pool.exit(pool.enter(amount));
        vm.assertLe(back, amount, "profit");
        (uint256 shares, uint256 paid) = twin.sell(amount);
        (back,) = twin.exit(shares);
        vm.assertLe(back, paid, "profit of a sale");
        vm.assertLe(paid - back, 1, "loss of a sale");
    }

    function testFuzz_exitNeverTakesMoreThanThereIs(uint256 assetsSeed, uint256 sharesSeed, uint256 partSeed)
        public
        pure
    {
        Pool memory pool = _pool(assetsSeed, sharesSeed);
        uint256 all = pool.assetsWei;
        uint256 shares = pool.shares;
        uint256 part = _bound(partSeed, 0, shares);
        (uint256 first, uint256 firstDust) = pool.exit(part);
        (uint256 second, uint256 secondDust) = pool.exit(shares - part);
        vm.assertEq(first + second + firstDust + secondDust, all, "what comes out is what was in");
        vm.assertEq(uint256(pool.assetsWei), 0, "assets left");
        vm.assertEq(uint256(pool.shares), 0, "shares left");
    }

    /// @dev The same results as 512-bit arithmetic, so nothing overflows in between.
    function testFuzz_pricesAreExact(uint256 assetsSeed, uint256 sharesSeed, uint256 amountSeed) public pure {
        Pool memory pool = _pool(assetsSeed, sharesSeed);
        uint256 amount = _bound(amountSeed, 0, MOST);
        uint256 allShares = pool.shares + VIRTUAL_SHARES;
        uint256 allAssets = uint256(pool.assetsWei) + 1;
        vm.assertEq(pool.toShares(amount), Math.mulDiv(amount, allShares, allAssets), "shares");
        uint256 shares = _bound(amountSeed, 0, pool.shares);
        vm.assertEq(pool.toAssets(shares), Math.mulDiv(shares, allAssets, allShares), "assets");
    }

    /// @dev Another's entry or exit moves a holder's value by at most a wei, however dear a share is.
    function testFuzz_othersAreUntouched(
        uint256 assetsSeed,
        uint256 sharesSeed,
        uint256 heldSeed,
        uint256 amountSeed,
        uint256 partSeed
    ) public pure {
        Pool memory pool = _pool(assetsSeed, sharesSeed);
        uint256 held = _bound(heldSeed, 0, pool.shares);
        uint256 before = pool.toAssets(held);
        uint256 offered = _bound(amountSeed, 0, MOST - pool.assetsWei);
        (, uint256 paid) = pool.sell(offered);
        vm.assertLe(paid, offered, "paid more than offered");
        vm.assertGe(pool.toAssets(held), before, "an entry takes from others");
        vm.assertLe(pool.toAssets(held), before + 1, "an entry gives to others");
        uint256 between = pool.toAssets(held);
        pool.exit(_bound(partSeed, 0, pool.shares - held));
        if (pool.shares == 0) return;
        vm.assertGe(pool.toAssets(held), between, "an exit takes from others");
        vm.assertLe(pool.toAssets(held), between + 1, "an exit gives to others");
    }

    function testFuzz_oldGenerationsAreWorthless(uint128 shares, uint32 generation, uint32 now_) public pure {
        Pool memory pool = Pool(1 ether, 1 ether, now_);
        vm.assertEq(pool.liveShares(shares, generation), generation == now_ ? shares : 0, "live shares");
    }
}
