// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {Handler} from "./Handler.sol";
import {vm} from "../utils/Vm.sol";

/// @notice Invariants prove nothing about what the handler never does.
contract HandlerTest {
    function test_everyActionIsReached() public {
        Handler handler = new Handler(true);
        bytes4[30] memory actions = [
            Handler.stake.selector,
            Handler.withdrawFree.selector,
            Handler.withdrawThaws.selector,
            Handler.withdrawTooEarly.selector,
            Handler.bond.selector,
            Handler.unbond.selector,
            Handler.vote.selector,
            Handler.unvote.selector,
            Handler.enterThenExit.selector,
            Handler.register.selector,
            Handler.deregister.selector,
            Handler.setOperator.selector,
            Handler.takeOperator.selector,
            Handler.setVoterShare.selector,
            Handler.warp.selector,
            Handler.forceValue.selector,
            Handler.slash.selector,
            Handler.lowerVotes.selector,
            Handler.rest.selector,
            Handler.rejoin.selector,
            Handler.jail.selector,
            Handler.suspend.selector,
            Handler.resume.selector,
            Handler.fund.selector,
            Handler.pour.selector,
            Handler.income.selector,
            Handler.settle.selector,
            Handler.claim.selector,
            // Twice, since a step of one account often waits for another's.
            Handler.register.selector,
            Handler.vote.selector
        ];
        for (uint256 i = 0; i < 2_500; ++i) {
            uint256 seed = uint256(keccak256(abi.encode(i)));
            bytes4 action = actions[seed % actions.length];
            // Every action takes at most four words; what it does not take is ignored.
            bytes memory call = abi.encodeWithSelector(action, seed >> 8, seed >> 16 & 1, seed >> 24 & 1, seed >> 32);
            (bool done, bytes memory data) = address(handler).call(call);
            vm.assertTrue(done, string(data));
        }
        for (uint256 i = 0; i < actions.length; ++i) {
            vm.assertGe(handler.done(actions[i]), 5, "an action is hardly ever reached");
        }
    }
}
