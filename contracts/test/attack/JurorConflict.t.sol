// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {ICourt} from "../../src/interfaces/ICourt.sol";
import {CourtBase} from "../utils/CourtBase.sol";
import {vm} from "../utils/Vm.sol";

/// @notice Jurors that convict because it pays them.
contract JurorConflictAttack is CourtBase {
    /// @dev The same for either verdict, and however much the accused had: a slash only refills and goes to the pool.
    function test_payDoesNotDependOnTheVerdict() public {
        uint256 acquitted = _closeValid(1);
        vm.deal(address(this), 1_000_000 ether);
        staking.setNode{value: 1_000_000 ether}(miner, _operator(miner), staking.roleOf(miner));
        uint256 convicted = _convict(2);
        for (uint256 i = 0; i < JURORS; ++i) {
            vm.assertEq(court.creditJuror(acquitted, 0, jurors[i]), FEE, "for valid");
            vm.assertEq(court.creditJuror(convicted, 0, jurors[i]), FEE, "for invalid");
        }
        _assertSolvent();
    }

    /// @dev Nor does a juror earn by another's fine, or whoever brings it.
    function test_finesPayNobody() public {
        uint256 caseId = _challenge(1);
        _hear(caseId, 0, 6, 0);
        _close(caseId);
        uint256 before = address(court).balance;
        uint256 poolWei = staking.poolWei();
        vm.prank(jurors[0]);
        uint256 finedWei = court.fine(caseId, 0, jurors[6]);
        vm.assertEq(address(court).balance, before, "court");
        vm.assertEq(staking.poolWei() - poolWei, finedWei, "pool");
        vm.assertEq(court.creditJuror(caseId, 0, jurors[0]), FEE, "pay");
    }
}
