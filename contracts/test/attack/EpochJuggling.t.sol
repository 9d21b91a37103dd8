// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {Role} from "../../src/interfaces/IStaking.sol";
import {TestBase} from "../utils/TestBase.sol";
import {vm} from "../utils/Vm.sol";

/// @notice Moving bond in and out around the end of an epoch, so that it counts twice, or without being at risk.
contract EpochJugglingAttack is TestBase {
    uint64 private first;

    function setUp() public override {
        super.setUp();
        first = staking.currentEpoch();
        _registerMiner(alice);
        _registerMiner(bob);
        _stake(alice, 100_000 ether);
        _skip(EPOCH);
    }

    function test_inAndOutWithinAnEpochCountsNowhere() public {
        vm.startPrank(alice);
        staking.bond(100_000 ether);
        staking.unbond(100_000 ether);
        vm.stopPrank();
        _expect(alice, first, MINER_BOND);
        _expect(alice, first + 1, MINER_BOND);
        _expectTotal(first, 2 * MINER_BOND);
        _skip(EPOCH);
        _expect(alice, first + 1, MINER_BOND);
        _expectTotal(first + 1, 2 * MINER_BOND);
    }

    function test_manyMovesKeepWhatThePreviousEpochEndedWith() public {
        vm.startPrank(alice);
        for (uint256 i = 0; i < 5; ++i) {
            staking.bond(10_000 ether);
            staking.unbond(3_000 ether);
        }
        vm.stopPrank();
        _expect(alice, first, MINER_BOND);
        _expect(alice, first + 1, MINER_BOND + 35_000 ether);
    }

    /// @dev The same money cannot stand behind two nodes in one epoch: on its way it is in neither.
    function test_theSameMoneyDoesNotCountForTwoNodes() public {
        vm.startPrank(alice);
        staking.bond(100_000 ether);
        _skip(EPOCH);
        uint256 id = staking.unbond(100_000 ether);
        vm.stopPrank();
        _skip(THAW);
        vm.prank(alice);
        staking.withdraw(_ids(id), MAX, payable(bob));
        _stake(bob, 100_000 ether);
        vm.prank(bob);
        staking.bond(100_000 ether);
        uint64 epoch = staking.currentEpoch();
        _expect(alice, epoch - 1, MINER_BOND);
        _expect(alice, epoch, MINER_BOND);
        _expect(bob, epoch - 1, MINER_BOND);
        _expect(bob, epoch, MINER_BOND + 100_000 ether);
    }

    /// @dev Bond that left still counts for the epoch before, and is still slashable all that time.
    function test_whatCountsIsAtRisk() public {
        vm.prank(alice);
        uint256 id = staking.unbond(MINER_BOND);
        _expect(alice, first, MINER_BOND);
        _expect(alice, first + 1, 0);
        _skip(EPOCH - 1);
        _slashPart(alice, 1 ether);
        vm.assertEq(_thaw(alice, id).amountWei, 0, "left of it");
    }

    function test_inactiveCountsZeroAndSoDoesTheTotal() public {
        vm.prank(alice);
        staking.unbond(5_000 ether);
        _expect(alice, first, MINER_BOND);
        _expect(alice, first + 1, 0);
        _expectTotal(first, 2 * MINER_BOND);
        _expectTotal(first + 1, MINER_BOND);
        vm.prank(alice);
        staking.bond(1);
        _expect(alice, first + 1, 20_000 ether + 1);
        _expectTotal(first + 1, MINER_BOND + 20_000 ether + 1);
    }

    function test_epochsNobodyTouched() public {
        _skip(10 * EPOCH);
        vm.prank(alice);
        staking.bond(1 ether);
        _expect(alice, first + 10, MINER_BOND);
        _expect(alice, first + 11, MINER_BOND + 1 ether);
        _expect(bob, first + 10, MINER_BOND);
        _expectTotal(first + 10, 2 * MINER_BOND);
        _expectTotal(first + 11, 2 * MINER_BOND + 1 ether);
    }

    /// @dev Votes never count here: they would let voters' money fill juries.
    function test_votesDoNotCount() public {
        _vote(carol, alice, 100_000 ether);
        _expect(alice, first + 1, MINER_BOND);
        _expectTotal(first + 1, 2 * MINER_BOND);
    }

    function _expect(address node, uint64 epoch, uint256 bondWei) private view {
        vm.assertEq(staking.activeBondAt(node, epoch), bondWei, "bond");
    }

    function _expectTotal(uint64 epoch, uint256 bondWei) private view {
        vm.assertEq(staking.totalActiveBondAt(Role.Miner, epoch), bondWei, "total");
    }
}
