// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {vm} from "../utils/Vm.sol";
import {CourtActions} from "./handlers/CourtActions.sol";
import {NetworkHandler} from "./handlers/NetworkHandler.sol";
import {PaymentActions} from "./handlers/PaymentActions.sol";
import {RewardActions} from "./handlers/RewardActions.sol";
import {StakeActions} from "./handlers/StakeActions.sol";
import {TimeActions} from "./handlers/TimeActions.sol";

/// @notice Invariants prove nothing about what the handlers never do.
contract NetworkHandlerTest {
    function test_everyActionAndStageIsReached() public {
        NetworkHandler handler = new NetworkHandler();
        bytes4[44] memory actions = [
            StakeActions.stake.selector,
            StakeActions.withdrawFree.selector,
            StakeActions.withdrawExit.selector,
            StakeActions.bond.selector,
            StakeActions.unbond.selector,
            StakeActions.vote.selector,
            StakeActions.unvote.selector,
            StakeActions.enterThenExit.selector,
            StakeActions.register.selector,
            StakeActions.deregister.selector,
            StakeActions.setOperator.selector,
            StakeActions.takeOperator.selector,
            StakeActions.setVoterShare.selector,
            StakeActions.restOrRejoin.selector,
            StakeActions.recover.selector,
            RewardActions.fund.selector,
            RewardActions.fundPool.selector,
            RewardActions.pour.selector,
            RewardActions.settle.selector,
            RewardActions.claim.selector,
            PaymentActions.deposit.selector,
            PaymentActions.askEscrowBack.selector,
            PaymentActions.withdrawEscrow.selector,
            PaymentActions.raiseLine.selector,
            PaymentActions.noticeLine.selector,
            PaymentActions.applyNotice.selector,
            PaymentActions.redeem.selector,
            PaymentActions.settleClaim.selector,
            PaymentActions.commitEpoch.selector,
            PaymentActions.revealEpoch.selector,
            PaymentActions.suspend.selector,
            TimeActions.warp.selector,
            TimeActions.forceValue.selector,
            CourtActions.report.selector,
            CourtActions.repeatEvidence.selector,
            CourtActions.challenge.selector,
            CourtActions.fineJurors.selector,
            CourtActions.creditJurors.selector,
            CourtActions.withdrawCredit.selector,
            CourtActions.withdrawCut.selector,
            CourtActions.slash.selector,
            NetworkHandler.leaveUnderSuspicion.selector,
            CourtActions.advance.selector,
            // Twice, since a step of one account often waits for another's.
            PaymentActions.redeem.selector
        ];
        for (uint256 i = 0; i < 3_000; ++i) {
            uint256 seed = uint256(keccak256(abi.encode(i)));
            // Every second step carries a dispute on.
            bytes4 action = i % 2 == 0 ? CourtActions.advance.selector : actions[seed % actions.length];
            // Every action takes at most four words, the last of some a flag; what it does not take is ignored.
            bytes memory call = abi.encodeWithSelector(action, seed >> 8, seed >> 24, seed >> 40, seed >> 56);
            if (action == StakeActions.register.selector || action == RewardActions.fund.selector) {
                call = abi.encodeWithSelector(
                    action,
                    seed >> 8 & (action == RewardActions.fund.selector ? 1 : type(uint256).max),
                    seed >> 24 & 1,
                    seed >> 40,
                    seed >> 56
                );
            } else if (action == StakeActions.enterThenExit.selector) {
                call = abi.encodeWithSelector(action, seed >> 8, seed >> 24, seed >> 40, seed >> 56 & 1);
            }
            (bool passed, bytes memory data) = address(handler).call(call);
            vm.assertTrue(passed, string(data));
        }
        vm.assertEq(handler.findings().length, 0, "a finding");
        string memory seldom;
        for (uint256 i = 0; i < actions.length; ++i) {
            if (actions[i] == CourtActions.advance.selector) continue;
            if (handler.done(actions[i]) < 3) seldom = string.concat(seldom, " ", _hex(actions[i]));
        }
        string[7] memory stages = ["sealed", "committed", "revealed", "concluded", "appealed", "closed", "convicted"];
        for (uint256 i = 0; i < stages.length; ++i) {
            if (handler.reached(stages[i]) < 5) seldom = string.concat(seldom, " ", stages[i]);
        }
        vm.assertEq(bytes(seldom).length, 0, string.concat("hardly ever done:", seldom));
    }

    function _hex(bytes4 selector) private pure returns (string memory) {
        bytes memory text = new bytes(8);
        for (uint256 i = 0; i < 8; ++i) {
            text[i] = bytes16("0123456789abcdef")[uint32(selector) >> (28 - 4 * i) & 15];
        }
        return string(text);
    }
}
