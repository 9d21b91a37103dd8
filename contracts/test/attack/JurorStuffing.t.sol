// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {ICourt, Vote} from "../../src/interfaces/ICourt.sol";
import {Role} from "../../src/interfaces/Role.sol";
import {CourtBase} from "../utils/CourtBase.sol";
import {vm} from "../utils/Vm.sol";

/// @notice Bonding more once the case, or the seed, is known.
contract JurorStuffingAttack is CourtBase {
    function setUp() public override {
        super.setUp();
        _addNode(stranger, Role.Miner, 0);
    }

    function test_bondOfThePresentEpochHoldsNoSeat() public {
        uint64 epoch = staking.currentEpoch();
        uint256 caseId = _challenge(1);
        staking.setBondAt(stranger, epoch, 100 * BOND);
        staking.setBondAt(jurors[0], epoch, 100 * BOND);
        _seal(caseId);
        staking.setBondAt(jurors[1], epoch, 100 * BOND);
        vm.assertEq(court.getRound(caseId, 0).eligibleWei, JURORS * BOND, "what counts was there before");
        vm.assertEq(court.getSeat(caseId, 0, stranger).seats, 0, "came too late");
        vm.assertEq(court.getSeat(caseId, 0, jurors[0]).seats, 1, "grew too late");
        vm.assertEq(court.getSeat(caseId, 0, jurors[1]).seats, 1, "grew too late");
        vm.expectRevert(abi.encodeWithSelector(ICourt.NoSeat.selector, caseId, 0, stranger));
        vm.prank(stranger);
        court.commit(caseId, stranger, "commitment");
    }

    /// @dev An epoch later the case still sits with the bonds of its own.
    function test_theReferenceDoesNotMoveWithTheClock() public {
        // The last minute of an epoch: the seed comes in the next one.
        vm.warp((staking.currentEpoch() + 1) * staking.epochSeconds() - 1);
        court.pulse();
        uint64 epoch = staking.currentEpoch();
        uint256 caseId = _challenge(1);
        staking.setBondAt(jurors[0], epoch, 100 * BOND);
        _seal(caseId);
        vm.assertEq(uint256(staking.currentEpoch()), epoch + 1, "the next epoch");
        vm.assertEq(uint256(court.getRound(caseId, 0).referenceEpoch), epoch - 1, "reference");
        vm.assertEq(court.getSeat(caseId, 0, jurors[0]).seats, 1, "seats");
    }

    function test_anAppealSitsWithTheEpochBeforeItself() public {
        uint256 caseId = _challenge(1);
        _hear(caseId, 7, 0, 0);
        staking.setBondAt(stranger, staking.currentEpoch(), 100 * BOND);
        _appeal(caseId, appellant, Vote.Invalid);
        _seal(caseId);
        vm.assertEq(court.getSeat(caseId, 1, stranger).seats, 0, "bonded for the appeal");
    }
}
