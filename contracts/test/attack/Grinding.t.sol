// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {ICourt, Stage, Vote} from "../../src/interfaces/ICourt.sol";
import {CourtBase} from "../utils/CourtBase.sol";
import {vm} from "../utils/Vm.sol";

/// @notice Choosing one's jury by choosing when to do what.
contract GrindingAttack is CourtBase {
    function test_theRoundIsFixedAtTheOpening() public {
        uint256 caseId = _challenge(1);
        uint64 round = court.getRound(caseId, 0).randomnessRound;
        vm.assertEq(uint256(round), randomness.roundAt(START + SEAL), "the first one not yet known");
        bytes32 seed = keccak256("of that round");
        randomness.choose(round, seed);
        _skip(3 hours);
        randomness.choose(_now(), keccak256("of a better round"));
        vm.prank(challenger);
        court.seal(caseId, "whatever proof");
        vm.assertEq(court.getRound(caseId, 0).seed, seed, "seed");
        vm.expectRevert(abi.encodeWithSelector(ICourt.StageInvalid.selector, caseId, Stage.Committing));
        court.seal(caseId, "again");
    }

    /// @dev Who sealed the round elsewhere before could not choose either.
    function test_sealedElsewhereItIsTheSame() public {
        uint256 caseId = _challenge(1);
        _skip(SEAL);
        bytes32 seed = randomness.seal(START + SEAL, "");
        _skip(1 hours);
        court.seal(caseId, "bad");
        vm.assertEq(court.getRound(caseId, 0).seed, seed, "seed");
    }

    /// @dev Cases under one seed draw apart: a good draw in one is none in another.
    function test_oneSeedDrawsEachJuryAnew() public {
        for (uint256 i = 0; i < JURORS; ++i) {
            staking.setBond(jurors[i], BOND * (i + 1));
        }
        uint256 first = _challenge(1);
        uint256 second = _challenge(2);
        _skip(SEAL);
        court.seal(first, "");
        court.seal(second, "");
        vm.assertEq(court.getRound(first, 0).seed, court.getRound(second, 0).seed, "one seed");
        bool differ;
        for (uint256 i = 0; i < JURORS; ++i) {
            if (court.getSeat(first, 0, jurors[i]).seats != court.getSeat(second, 0, jurors[i]).seats) differ = true;
        }
        vm.assertTrue(differ, "two juries");
    }

    /// @dev An appeal's round begins with its own opening.
    function test_anAppealHasItsOwnRound() public {
        uint256 caseId = _challenge(1);
        _hear(caseId, 7, 0, 0);
        _appeal(caseId, appellant, Vote.Invalid);
        vm.assertEq(uint256(court.getRound(caseId, 1).randomnessRound), _now() + SEAL, "after the appeal");
    }
}
