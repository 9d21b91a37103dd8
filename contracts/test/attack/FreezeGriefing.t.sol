// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IStaking} from "../../src/interfaces/IStaking.sol";
import {TestBase} from "../utils/TestBase.sol";
import {vm} from "../utils/Vm.sol";

/// @notice Challenge upon challenge, to hold an honest node's exit for ever; or a freeze that holds more than it may.
contract FreezeGriefingAttack is TestBase {
    uint256 private id;

    function setUp() public override {
        super.setUp();
        _registerMiner(alice);
        _vote(bob, alice, 1_000 ether);
        vm.prank(alice);
        staking.deregister();
        id = _bondThaw(alice);
    }

    function _freeze(uint256 bondWei) private {
        vm.prank(court);
        staking.freeze(alice, bondWei, uint64(block.timestamp + FREEZE));
    }

    /// @dev A new challenge every day: the exit leaves one dispute after its time, whatever comes.
    function test_aChainOfChallengesHoldsAtMostOneDispute() public {
        for (uint256 day = 0; day < 11; ++day) {
            _freeze(MINER_BOND);
            _skip(1 days);
        }
        vm.warp(START + THAW + FREEZE - 1);
        _freeze(MINER_BOND);
        vm.prank(alice);
        vm.expectRevert(abi.encodeWithSelector(IStaking.ExitFrozen.selector, id, START + THAW + FREEZE));
        staking.withdraw(_ids(id), MAX, payable(alice));
        _skip(1);
        _freeze(MINER_BOND);
        vm.assertEq(_withdraw(alice, id), MINER_BOND, "paid");
    }

    /// @dev One small challenge holds a small part: all else leaves at its time.
    function test_onlyWhatCouldBeTakenIsHeld() public {
        _skip(THAW - 1 days);
        _freeze(MINER_BOND / 10);
        _skip(1 days);
        vm.assertApproxEqAbs(_withdraw(alice, id), MINER_BOND * 9 / 10, 1, "nine tenths");
        _skip(FREEZE - 1 days);
        vm.assertApproxEqAbs(_withdraw(alice, id), MINER_BOND / 10, 1, "and the last");
    }

    /// @dev Taking it out in small exits or many calls releases no more.
    function test_manySmallExitsReleaseNoMore() public {
        _registerMiner(carol);
        uint256[] memory ids = new uint256[](10);
        for (uint256 i = 0; i < 10; ++i) {
            vm.prank(carol);
            ids[i] = staking.unbond(MINER_BOND / 10);
            _skip(1);
        }
        _skip(THAW);
        vm.prank(court);
        staking.freeze(carol, MINER_BOND / 2, uint64(block.timestamp + 1 days));
        uint256 paidWei = 0;
        for (uint256 i = 0; i < 10; ++i) {
            vm.prank(carol);
            uint256 before = carol.balance;
            try staking.withdraw(_ids(ids[i]), MAX, payable(carol)) {
                paidWei += carol.balance - before;
            } catch {}
        }
        vm.assertApproxEqAbs(paidWei, MINER_BOND / 2, 10, "half");
        vm.assertLe(paidWei, MINER_BOND / 2, "no more than that");
        vm.assertEq(_slash(carol, MINER_BOND / 2), MINER_BOND / 2, "the case can still take its part");
    }

    /// @dev A challenge on the node holds no voter.
    function test_votersLeaveAtTheirTime() public {
        uint256 votes = _unvoteAll(bob, alice);
        _skip(THAW);
        _freeze(type(uint96).max);
        vm.assertEq(_withdraw(bob, votes), 1_000 ether, "paid");
    }

    /// @dev A frozen exit among others fails alone: the caller leaves it out.
    function test_aFrozenExitDoesNotHoldTheOthers() public {
        uint256 votes = _vote(alice, _registered(carol), 10 ether);
        vm.prank(alice);
        uint256 other = staking.unvote(carol, votes, 0);
        _skip(THAW);
        _freeze(MINER_BOND);
        vm.assertEq(_withdraw(alice, other), 10 ether, "paid");
    }

    function _registered(address owner) private returns (address) {
        _registerMiner(owner);
        return owner;
    }
}
