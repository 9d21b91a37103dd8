// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {BN254} from "../../src/libraries/BN254.sol";
import {HashToCurve} from "../../src/libraries/HashToCurve.sol";
import {vm} from "../utils/Vm.sol";

contract HashToCurveFuzz {
    function testFuzz_mapIsOnTheCurve(uint256 u) public view {
        u %= BN254.P;
        (uint256 x, uint256 y) = HashToCurve.mapToCurve(u);
        vm.assertTrue(BN254.isG1(x, y), "on the curve");
        vm.assertEq(y % 2, u % 2, "sgn0");
    }

    function testFuzz_hashIsOnTheCurve(bytes memory message, bytes32 dst) public view {
        (uint256 x, uint256 y) = HashToCurve.toPoint(message, abi.encodePacked(dst));
        vm.assertTrue(BN254.isG1(x, y), "on the curve");
        (uint256 otherX,) = HashToCurve.toPoint(message, abi.encodePacked(dst, uint8(0)));
        vm.assertTrue(otherX != x, "another tag, another point");
    }

    /// @dev Against the 96 bytes as one number, reduced byte by byte.
    function testFuzz_fieldElementsAreReduced(bytes memory message, bytes32 dst) public pure {
        (uint256 u, uint256 v) = HashToCurve.toField(message, abi.encodePacked(dst));
        bytes memory tag = abi.encodePacked(dst, uint8(32));
        bytes32 b0 = keccak256(abi.encodePacked(new bytes(136), message, hex"006000", tag));
        bytes memory expanded;
        bytes32 last;
        for (uint8 i = 1; i <= 3; i++) {
            last = keccak256(abi.encodePacked(b0 ^ last, i, tag));
            expanded = abi.encodePacked(expanded, last);
        }
        vm.assertEq(u, _reduce(expanded, 0), "first");
        vm.assertEq(v, _reduce(expanded, 48), "second");
    }

    function _reduce(bytes memory expanded, uint256 start) private pure returns (uint256 element) {
        for (uint256 i = start; i < start + 48; i++) {
            element = addmod(mulmod(element, 256, BN254.P), uint8(expanded[i]), BN254.P);
        }
    }
}
