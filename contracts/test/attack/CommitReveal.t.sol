// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {ICourt, Stage, Vote} from "../../src/interfaces/ICourt.sol";
import {CourtBase} from "../utils/CourtBase.sol";
import {vm} from "../utils/Vm.sol";

/// @notice Jurors that copy each other instead of judging.
contract CommitRevealAttack is CourtBase {
    function test_aCopiedCommitmentCannotBeShown() public {
        uint256 caseId = _challenge(1);
        _seal(caseId);
        _commit(caseId, jurors[0], Vote.Valid);
        bytes32 seen = court.getSeat(caseId, 0, jurors[0]).commitment;
        vm.prank(jurors[1]);
        court.commit(caseId, jurors[1], seen);
        _skip(COMMIT);
        _reveal(caseId, jurors[0], Vote.Valid);
        vm.expectRevert(abi.encodeWithSelector(ICourt.CommitmentInvalid.selector, caseId, jurors[1]));
        vm.prank(jurors[1]);
        court.reveal(caseId, jurors[1], Vote.Valid, _salt(jurors[0]));
    }

    /// @dev Once the first vote is shown, nobody commits any more, and nobody changes what it committed to.
    function test_nobodyVotesAfterTheFirstReveal() public {
        uint256 caseId = _challenge(1);
        _seal(caseId);
        _commit(caseId, jurors[0], Vote.Valid);
        _commit(caseId, jurors[1], Vote.Invalid);
        _skip(COMMIT);
        _reveal(caseId, jurors[0], Vote.Valid);
        vm.expectRevert(abi.encodeWithSelector(ICourt.StageInvalid.selector, caseId, Stage.Revealing));
        vm.prank(jurors[2]);
        court.commit(caseId, jurors[2], "commitment");
        vm.expectRevert(abi.encodeWithSelector(ICourt.CommitmentInvalid.selector, caseId, jurors[1]));
        vm.prank(jurors[1]);
        court.reveal(caseId, jurors[1], Vote.Valid, _salt(jurors[1]));
    }

    /// @dev Who finds out a salt can neither show the vote early nor in the juror's stead.
    function test_aLeakedSaltRevealsNothingEarly() public {
        uint256 caseId = _challenge(1);
        _seal(caseId);
        _commit(caseId, jurors[0], Vote.Valid);
        vm.expectRevert(abi.encodeWithSelector(ICourt.StageInvalid.selector, caseId, Stage.Committing));
        vm.prank(stranger);
        court.reveal(caseId, jurors[0], Vote.Valid, _salt(jurors[0]));
        _skip(COMMIT);
        vm.expectRevert(abi.encodeWithSelector(ICourt.NotActing.selector, stranger, jurors[0]));
        vm.prank(stranger);
        court.reveal(caseId, jurors[0], Vote.Valid, _salt(jurors[0]));
    }

    function test_aCommitmentBindsEverything() public {
        bytes32 commitment = court.commitmentOf(1, 0, jurors[0], Vote.Valid, "salt");
        vm.assertTrue(commitment != court.commitmentOf(2, 0, jurors[0], Vote.Valid, "salt"), "case");
        vm.assertTrue(commitment != court.commitmentOf(1, 1, jurors[0], Vote.Valid, "salt"), "round");
        vm.assertTrue(commitment != court.commitmentOf(1, 0, jurors[1], Vote.Valid, "salt"), "juror");
        vm.assertTrue(commitment != court.commitmentOf(1, 0, jurors[0], Vote.Invalid, "salt"), "vote");
        vm.assertTrue(commitment != court.commitmentOf(1, 0, jurors[0], Vote.Valid, "pepper"), "salt");
        vm.chainId(5);
        vm.assertTrue(commitment != court.commitmentOf(1, 0, jurors[0], Vote.Valid, "salt"), "chain");
        vm.chainId(31_337);
        court = _deploy(_parameters());
        vm.assertTrue(commitment != court.commitmentOf(1, 0, jurors[0], Vote.Valid, "salt"), "court");
    }
}
