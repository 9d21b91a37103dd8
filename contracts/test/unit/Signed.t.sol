// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {Assignment, Result, Signed, Voucher} from "../../src/libraries/Signed.sol";
import {vm} from "../utils/Vm.sol";

/// @notice Struct hashes against those that viem's `hashStruct` gives for the same values.
contract SignedTest {
    using Signed for Assignment;
    using Signed for Result;
    using Signed for Voucher;

    function test_assignment() public pure {
        Assignment memory assignment = Assignment({
            taskId: bytes32(uint256(1)),
            attempt: 2,
            coordinator: address(3),
            miner: address(4),
            manifest: bytes32(uint256(5)),
            inputHash: bytes32(uint256(6)),
            paramsHash: bytes32(uint256(7)),
            seed: type(uint64).max,
            unitPriceWei: 9,
            maxPriceWei: type(uint128).max,
            issuedAt: 1_800_000_000,
            deadline: 1_800_086_400,
            drawRef: bytes32(uint256(13))
        });
        vm.assertEq(assignment.hash(), 0xd0564ee97729a99bec58794ae524befc9876bb9ba648498444685d08fe59b885, "assignment");
    }

    function test_result() public pure {
        Result memory result = Result(bytes32(uint256(1)), bytes32(uint256(2)), 3, 1);
        vm.assertEq(result.hash(), 0xbe70fbfecc5895ef4bcf88aa4276749d2276d2f23843a7518e640dd19c5f1f8f, "result");
    }

    function test_voucher() public pure {
        Voucher memory voucher = Voucher(address(3), address(4), 5, 6);
        vm.assertEq(voucher.hash(), 0x95e2f3393dadc52ddfe2197ef8a431a1340b3457a59b2624ec1ac19168942df4, "voucher");
    }
}
