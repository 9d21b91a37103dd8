// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {ICourt} from "../../src/interfaces/ICourt.sol";
import {Assignment, Result} from "../../src/libraries/Signed.sol";
import {CourtBase} from "../utils/CourtBase.sol";
import {vm} from "../utils/Vm.sol";

/// @notice A node reports itself, to get stake out early or at its voters' cost.
contract SelfReportAttack is CourtBase {
    function test_itGetsAQuarterOfItsOwnBackAThawLater() public {
        vm.deal(address(this), 10_000 ether);
        staking.setVotes{value: 10_000 ether}(miner);
        Assignment memory assignment = _assignment(1);
        bytes32 digest = court.assignmentDigest(assignment);
        bytes memory given = _sign(coordinator, digest);
        Result memory first = Result(digest, sha256("one"), 1, 1);
        Result memory second = Result(digest, sha256("two"), 1, 1);
        bytes memory one = _sign(miner, court.resultDigest(first));
        bytes memory two = _sign(miner, court.resultDigest(second));
        vm.prank(miner);
        uint256 caseId = court.reportMiner(assignment, given, first, one, second, two);

        (, uint256 cutWei, uint64 releaseAt) = court.cutOf(caseId);
        vm.assertEq(cutWei, BOND / 2 / 4, "a quarter of the owner's own part");
        vm.assertEq(staking.poolWei(), BOND / 2 * 3 / 4 + 200 ether, "the rest and the votes' part: nobody's");
        vm.assertEq(uint256(releaseAt), START + THAW, "no sooner than leaving");
        vm.expectRevert(abi.encodeWithSelector(ICourt.CreditNotReleased.selector, caseId, releaseAt));
        vm.prank(miner);
        court.withdrawCut(caseId, payable(miner));
        vm.expectRevert(abi.encodeWithSelector(ICourt.NothingToWithdraw.selector, miner));
        vm.prank(miner);
        court.withdraw(payable(miner));
    }
}
