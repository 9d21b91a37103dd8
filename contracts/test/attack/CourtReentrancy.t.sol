// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";

import {Court} from "../../src/Court.sol";
import {ICourt} from "../../src/interfaces/ICourt.sol";
import {Receipt} from "../../src/libraries/Signed.sol";
import {CourtBase} from "../utils/CourtBase.sol";
import {vm} from "../utils/Vm.sol";

/// @dev Opens a case and calls back in when it is paid.
contract Greedy {
    Court private immutable _court;
    bytes private _again;
    bytes4 public refusal;

    constructor(Court court) {
        _court = court;
    }

    function call(uint256 value, bytes calldata data, bytes calldata again) external {
        _again = again;
        (bool done,) = address(_court).call{value: value}(data);
        require(done);
    }

    receive() external payable {
        (bool done, bytes memory answer) = address(_court).call(_again);
        if (!done) refusal = bytes4(answer);
    }
}

/// @dev Answers with a megabyte.
contract Bomb {
    receive() external payable {
        assembly {
            return(0, 1000000)
        }
    }
}

/// @notice Receivers that come back in, or make being paid expensive.
contract CourtReentrancyAttack is CourtBase {
    function test_nobodyIsPaidTwice() public {
        Greedy greedy = new Greedy(court);
        vm.deal(address(greedy), 8 * FEE);
        Receipt memory receipt = _receipt(1);
        greedy.call(8 * FEE, abi.encodeCall(court.challenge, (receipt, _evidence())), "");
        bytes memory again = abi.encodeCall(court.withdraw, (payable(address(greedy))));
        greedy.call(0, again, again);
        vm.assertEq(address(greedy).balance, FEE, "once");
        vm.assertEq(
            bytes32(greedy.refusal()),
            bytes32(ReentrancyGuardTransient.ReentrancyGuardReentrantCall.selector),
            "refused"
        );
        _assertSolvent();
    }

    /// @dev What it returns is not copied, so only its own gas is spent. It costs a million bytes of memory there, as it would
    /// to anybody, and not once more here.
    function test_returnDataIsNotCopied() public {
        Bomb bomb = new Bomb();
        vm.deal(challenger, 100 ether);
        Receipt memory receipt = _receipt(1);
        vm.prank(challenger);
        court.challenge{value: 8 * FEE}(receipt, _evidence());
        uint256 before = gasleft();
        vm.prank(challenger);
        court.withdraw(payable(address(bomb)));
        // 31,250 words: 3 x 31,250 + 31,250^2 / 512 = 2.0 million gas, once.
        vm.assertLt(before - gasleft(), 2_200_000, "once");
    }
}
