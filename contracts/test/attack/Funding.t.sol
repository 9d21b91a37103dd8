// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IRewards} from "../../src/interfaces/IRewards.sol";
import {IStaking, Role} from "../../src/interfaces/IStaking.sol";
import {TestBase} from "../utils/TestBase.sol";
import {vm} from "../utils/Vm.sol";

/// @notice Rewards announced without money; money that thins out, puts off or stretches what others were promised.
contract FundingAttack is TestBase {
    uint256 private constant RATE = 1 ether;
    uint256 private constant WHOLE = PERIOD * RATE;
    uint256 private constant DUST = 1_000;

    address private immutable whale = _account("whale");

    function setUp() public override {
        super.setUp();
        _register(alice, Role.Miner, MINER_BOND, 0);
        _fund(whale, 10_000_000 ether);
    }

    function _give(uint256 amountWei) private {
        vm.prank(whale);
        staking.fund{value: amountWei}(Role.Miner);
    }

    // ---- no reward without funds ----

    function test_noRateWithoutMoney() public {
        vm.expectRevert(IStaking.AmountZero.selector);
        _give(0);
        staking.pour();
        vm.assertEq(staking.getStream(Role.Miner).rateWei, 0, "rate");
        _skip(365 days);
        vm.assertEq(staking.rewardsOf(alice), 0, "earned");
    }

    /// @dev Value that is there but was never given is nobody's: neither a pour nor a period finds it.
    function test_valueForcedInIsNoReward() public {
        vm.deal(address(staking), address(staking).balance + 1_000_000 ether);
        staking.pour();
        _give(WHOLE);
        IRewards.StreamView memory stream = staking.getStream(Role.Miner);
        vm.assertEq(stream.rateWei, RATE, "rate");
        vm.assertEq(stream.nextWei, 0, "next");
        vm.assertEq(staking.undistributedWei(), 0, "pool");
    }

    /// @dev After its period the stream is dry, however long nobody settles.
    function test_aPeriodPaysWhatItWasGivenAndNoMore() public {
        _give(WHOLE);
        _skip(1_000 days);
        vm.assertApproxEqAbs(staking.rewardsOf(alice), WHOLE, DUST, "earned");
        vm.assertLe(staking.rewardsOf(alice), WHOLE, "never more");
        staking.settle(alice);
        _skip(1_000 days);
        vm.assertLe(staking.rewardsOf(alice), WHOLE, "nor later");
    }

    /// @dev What was poured is out of the pool: the same money is not promised twice.
    function test_pouringTwicePaysOnce() public {
        _fund(address(this), 2 * WHOLE);
        staking.fundPool{value: 2 * WHOLE}();
        staking.pour();
        staking.pour();
        vm.assertEq(staking.getStream(Role.Miner).nextWei, 0, "next");
        _skip(10 * PERIOD);
        staking.pour();
        vm.assertLe(staking.rewardsOf(alice), WHOLE, "earned");
    }

    // ---- what is promised stays ----

    /// @dev Whatever comes while a period runs, when and however often: the rate stays, the end stays.
    function testFuzz_fundingNeverLowersTheRateNorMovesTheEnd(uint256[6] calldata amounts, uint256[6] calldata gaps)
        public
    {
        _give(WHOLE);
        uint256 endsAt = START + PERIOD;
        for (uint256 i = 0; i < 6; ++i) {
            _skip(_bound(gaps[i], 0, (endsAt - vm.getBlockTimestamp()) / 2));
            if (amounts[i] % 4 == 0) staking.pour();
            else _give(_bound(amounts[i], 1, 100_000 ether));
            IRewards.StreamView memory stream = staking.getStream(Role.Miner);
            vm.assertEq(stream.rateWei, RATE, "rate");
            vm.assertEq(uint256(stream.endsAt), endsAt, "end");
        }
        vm.warp(endsAt);
        vm.assertApproxEqAbs(staking.rewardsOf(alice), WHOLE, DUST, "all that was promised, by then");
    }

    /// @dev 1 wei an hour, through the period and over its end, never at it: all comes when it would have come, to the last wei.
    function test_aWhaleThatFundsAWeiAtATimeStallsNothing() public {
        _give(WHOLE);
        _give(2 * WHOLE);
        for (uint256 i = 0; i < 13 * 24; ++i) {
            _skip(1 hours + 7);
            _give(1);
        }
        vm.assertEq(uint256(staking.getStream(Role.Miner).endsAt), START + 2 * PERIOD, "the second's end");
        vm.assertEq(staking.getStream(Role.Miner).rateWei, 2 * RATE, "the second's rate");
        _skip(1 days);
        vm.assertApproxEqAbs(staking.rewardsOf(alice), 3 * WHOLE, DUST, "all, in time");
    }

    /// @dev Too little for a period begins none, and keeps none from beginning.
    function test_dustBetweenPeriodsDoesNotHoldTheNext() public {
        _give(1);
        vm.assertEq(staking.getStream(Role.Miner).rateWei, 0, "no period of nothing");
        _skip(1 hours);
        _give(WHOLE);
        vm.assertEq(staking.getStream(Role.Miner).rateWei, RATE, "at once");
        vm.assertEq(uint256(staking.getStream(Role.Miner).endsAt), START + 1 hours + PERIOD, "a whole period");
        _skip(PERIOD + 1 hours);
        _give(PERIOD - 2);
        _give(1);
        vm.assertEq(staking.getStream(Role.Miner).rateWei, 1, "with the wei that waited");
    }

    /// @dev The most that dust can do: begin a period of 1 wei a second, for which the next money waits once. It waits in whole and
    /// what follows it waits no longer.
    function test_aPeriodOfDustDelaysByOnePeriodAtMost() public {
        _give(PERIOD);
        _give(WHOLE);
        for (uint256 i = 0; i < 7; ++i) {
            _skip(1 days);
            _give(PERIOD);
        }
        IRewards.StreamView memory stream = staking.getStream(Role.Miner);
        vm.assertGe(stream.rateWei, RATE, "its rate, a period later");
        vm.assertEq(uint256(stream.endsAt), START + 2 * PERIOD, "its end");
    }

    /// @dev Pouring a pool of dust over and over is no way either.
    function test_pouringDustStallsNothing() public {
        _give(WHOLE);
        _fund(address(this), 1 ether);
        for (uint256 i = 0; i < 6; ++i) {
            _skip(1 days);
            staking.fundPool{value: 3}();
            staking.pour();
        }
        _skip(1 days);
        vm.assertApproxEqAbs(staking.rewardsOf(alice), WHOLE, DUST, "all, in time");
    }

    /// @dev A lump of 1 wei restarts the drip of what is left: that slows it down, by halves and not for ever.
    function test_aWeiOfIncomeAgainAndAgainDoesNotHoldTheDrip() public {
        vm.prank(alice);
        staking.setVoterShare(10_000);
        _vote(bob, alice, 100 ether);
        _income(alice, 100 ether);
        for (uint256 i = 0; i < 3 * 24; ++i) {
            _skip(1 hours);
            _income(alice, 1);
        }
        vm.assertGe(_votesOf(bob, alice), 195 ether, "19 of 20 parts after three times the time");
    }

    /// @dev Settling every second costs its caller gas and nobody money: what a division leaves is carried.
    function test_settlingOverAndOverGrindsNothingAway() public {
        _register(bob, Role.Miner, MINER_BOND + 7, 0);
        _give(PERIOD + 3);
        for (uint256 i = 0; i < 500; ++i) {
            _skip(1);
            vm.prank(whale);
            staking.settle(i % 2 == 0 ? alice : bob);
        }
        uint256 earnedWei = staking.rewardsOf(alice) + staking.rewardsOf(bob);
        vm.assertLe(earnedWei, 500, "never more than flowed");
        // A wei per second, of which each settlement of a node may lose one: the index itself loses under 1/256 of one.
        vm.assertGe(earnedWei + 500 + 2 + staking.carriedWei(Role.Miner), 500, "no more is lost than IRewards names");
        _skip(PERIOD);
        vm.assertGe(staking.rewardsOf(alice) + staking.rewardsOf(bob) + 502 + 3, PERIOD, "nor later");
    }
}
