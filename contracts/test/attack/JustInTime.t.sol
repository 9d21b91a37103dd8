// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {Role} from "../../src/interfaces/IStaking.sol";
import {TestBase} from "../utils/TestBase.sol";
import {vm} from "../utils/Vm.sol";

/// @notice Stake that comes just before money does and leaves right after it: a vote before a stream or a lump of income, a bond
/// before a settlement, all of it in one block. Nobody gets more than its weight times the time that it stood there.
contract JustInTimeAttack is TestBase {
    uint256 private constant RATE = 1 ether;
    uint256 private constant WHOLE = PERIOD * RATE;
    uint256 private constant HONEST = 100_000 ether;
    uint256 private constant DUST = 100;

    /// @dev Alice's node gives all to voters, who are bob and, at times, the attacker: carol.
    function setUp() public override {
        super.setUp();
        _register(alice, Role.Miner, MINER_BOND, 10_000);
        _vote(bob, alice, HONEST);
    }

    /// @dev What carol gets out of votes of `amountWei` over what she put in, when she leaves now.
    function _leave(uint256 amountWei) private returns (uint256 profitWei) {
        uint256 id = _unvoteAll(carol, alice);
        _skip(THAW);
        uint256 paidWei = _withdraw(carol, id);
        return paidWei > amountWei ? paidWei - amountWei : 0;
    }

    // ---- one block ----

    function test_voteDrawAndLeaveInOneBlock() public {
        _fundStream(Role.Miner, WHOLE);
        _skip(1 days);
        uint256 waitedWei = _votesOf(bob, alice);
        // A day of the stream is earned, settled by nobody yet.
        _vote(carol, alice, HONEST);
        staking.settle(alice);
        _unvoteAll(carol, alice);
        vm.assertEq(_thaw(carol, _votesThaw(alice)).amountWei, HONEST - 1, "what she brought, rounded down");
        vm.assertApproxEqAbs(_votesOf(bob, alice), waitedWei, 2, "the day is bob's");
    }

    function test_fundedInTheBlockOfTheVote() public {
        _vote(carol, alice, HONEST);
        _fundStream(Role.Miner, WHOLE);
        staking.settle(alice);
        vm.assertEq(_leave(HONEST), 0, "profit");
    }

    function test_incomeInTheBlockOfTheVote() public {
        _vote(carol, alice, HONEST);
        _income(alice, 1_000 ether);
        staking.settle(alice);
        vm.assertEq(_leave(HONEST), 0, "profit");
    }

    /// @dev What has dripped and lies there unsettled is in the pool before she is.
    function test_voteAfterTheDripHasFlowed() public {
        _income(alice, 1_000 ether);
        _skip(2 * DRIP);
        _vote(carol, alice, HONEST);
        staking.settle(alice);
        vm.assertEq(_leave(HONEST), 0, "profit");
        vm.assertApproxEqAbs(_votesOf(bob, alice), HONEST + 1_000 ether, 1, "the lump is bob's");
    }

    /// @dev A second lump moves what the first has dripped aside, unsettled: that too is only for those who were there.
    function test_voteBetweenTwoLumps() public {
        _income(alice, 1_000 ether);
        _skip(DRIP);
        _income(alice, 1 ether);
        _vote(carol, alice, HONEST);
        vm.assertEq(_leave(HONEST), 0, "profit");
    }

    function test_registerDrawAndLeaveInOneBlock() public {
        _fundStream(Role.Miner, WHOLE);
        _skip(1 days);
        uint256 before = carol.balance;
        _register(carol, Role.Miner, 10 * MINER_BOND);
        staking.settle(alice);
        staking.settle(carol);
        vm.startPrank(carol);
        vm.assertEq(staking.claim(carol), 0, "nothing drawn");
        staking.deregister();
        vm.stopPrank();
        uint256 id = _bondThaw(carol);
        _skip(THAW);
        _withdraw(carol, id);
        vm.assertEq(carol.balance, before, "what she brought");
    }

    /// @dev An owner that doubles its bond for one block around its own settlement.
    function test_bondDrawAndUnbondInOneBlock() public {
        _register(dave, Role.Miner, MINER_BOND, 0);
        _fundStream(Role.Miner, WHOLE);
        _skip(1 days);
        uint256 earnedWei = staking.rewardsOf(dave);
        _stake(dave, MINER_BOND);
        vm.startPrank(dave);
        staking.bond(MINER_BOND);
        staking.settle(dave);
        staking.unbond(MINER_BOND);
        vm.stopPrank();
        vm.assertEq(staking.rewardsOf(dave), earnedWei, "no more");
    }

    // ---- one block and later ----

    /// @dev Over `elapsed`, from the moment a stream begins: at most her part of the node's votes, of what flowed meanwhile.
    function testFuzz_aVoteBeforeAStream(uint256 amountWei, uint256 elapsed) public {
        amountWei = _bound(amountWei, 1 ether, 16 * MINER_BOND - HONEST);
        elapsed = _bound(elapsed, 0, PERIOD);
        _vote(carol, alice, amountWei);
        _fundStream(Role.Miner, WHOLE);
        _skip(elapsed);
        uint256 fairWei = elapsed * RATE * amountWei / (HONEST + amountWei);
        vm.assertLe(_leave(amountWei), fairWei + DUST, "profit");
    }

    function test_aBlockBeforeAStreamIsWorthABlock() public {
        _vote(carol, alice, HONEST);
        _fundStream(Role.Miner, WHOLE);
        _skip(1);
        uint256 profitWei = _leave(HONEST);
        vm.assertApproxEqAbs(profitWei, RATE / 2, DUST, "half of one second");
    }

    /// @dev Over `elapsed`, from the moment of a lump: at most her part of what has dripped meanwhile.
    function testFuzz_aVoteBeforeALump(uint256 amountWei, uint256 lumpWei, uint256 elapsed) public {
        amountWei = _bound(amountWei, 1 ether, 16 * MINER_BOND - HONEST);
        lumpWei = _bound(lumpWei, 1, 1_000_000 ether);
        elapsed = _bound(elapsed, 0, 2 * DRIP);
        _vote(carol, alice, amountWei);
        _income(alice, lumpWei);
        _skip(elapsed);
        uint256 flowedWei = elapsed < DRIP ? lumpWei * elapsed / DRIP : lumpWei;
        uint256 fairWei = flowedWei * amountWei / (HONEST + amountWei);
        vm.assertLe(_leave(amountWei), fairWei + DUST, "profit");
    }

    /// @dev Whoever comes late to a drip gets of the rest only.
    function testFuzz_aVoteIntoADrip(uint256 amountWei, uint256 from, uint256 elapsed) public {
        amountWei = _bound(amountWei, 1 ether, 15 * MINER_BOND - HONEST);
        from = _bound(from, 0, DRIP);
        elapsed = _bound(elapsed, 0, DRIP - from);
        _income(alice, 1_000 ether);
        _skip(from);
        _vote(carol, alice, amountWei);
        _skip(elapsed);
        uint256 pooledWei = HONEST + 1_000 ether * from / DRIP;
        uint256 fairWei = (1_000 ether * elapsed / DRIP) * amountWei / (pooledWei + amountWei);
        vm.assertLe(_leave(amountWei), fairWei + DUST, "profit");
    }

    /// @dev Coming and going every hour gets no more than staying: splitting the time up does not multiply it.
    function test_comingAndGoingIsNoBetterThanStaying() public {
        _fundStream(Role.Miner, WHOLE);
        uint256 profitWei;
        for (uint256 i = 0; i < 12; ++i) {
            _vote(carol, alice, HONEST);
            _skip(1 hours);
            _unvoteAll(carol, alice);
            profitWei += _thaw(carol, _votesThaw(alice)).amountWei - HONEST;
            _skip(1 hours);
        }
        vm.assertLe(profitWei, 12 hours * RATE / 2, "half of what flowed while she was there");
    }

    /// @dev Another node's vote, moved over in the block of the income, brings what a new one would: nothing, and it thaws first.
    function test_votesThawInsteadOfMoving() public {
        _registerMiner(dave);
        _vote(carol, dave, HONEST);
        _unvoteAll(carol, dave);
        _income(alice, 1_000 ether);
        vm.assertEq(_free(carol), 0, "nothing to vote with");
        vm.assertEq(staking.weightOf(dave), MINER_BOND, "and no weight where it was");
    }
}
