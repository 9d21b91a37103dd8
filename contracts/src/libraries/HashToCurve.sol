// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {BN254} from "./BN254.sol";

/// @title HashToCurve
/// @notice Suite BN254G1_XMD:KECCAK-256_SVDW_RO_: RFC 9380's hash_to_curve onto G1 of BN254 with expand_message_xmd over
/// keccak256, L = 48 bytes per element, and the Shallue-van de Woestijne map with Z = 1. It spends a fixed number of field
/// operations and up to nine precompile calls; it is not constant in time, as nothing hashed on a chain is secret.
library HashToCurve {
    uint256 private constant P = BN254.P;

    // RFC 9380, 6.6.1, with A = 0, B = 3, Z = 1: c1 = g(Z) = 4, c2 = -Z / 2, c3 = sqrt(-g(Z) (3 Z^2 + 4 A)) = sqrt(-12), the
    // even root, c4 = -4 g(Z) / (3 Z^2 + 4 A) = -16 / 3. A test checks their equations.
    uint256 internal constant C1 = 4;
    uint256 internal constant C2 = (P - 1) / 2;
    uint256 internal constant C3 = 0x16789af3a83522eb353c98fc6b36d713d5d8d1cc5dffffffa;
    uint256 internal constant C4 = 0x10216f7ba065e00de81ac1e7808072c9dd2b2385cd7b438469602eb24829a9bd;

    /// @notice The point of G1 that `message` hashes to under the domain separation tag `dst` of at most 255 bytes.
    function toPoint(bytes memory message, bytes memory dst) internal view returns (uint256 x, uint256 y) {
        (uint256 u, uint256 v) = toField(message, dst);
        (uint256 ux, uint256 uy) = mapToCurve(u);
        (uint256 vx, uint256 vy) = mapToCurve(v);
        // G1's cofactor is 1: nothing to clear.
        return BN254.add(ux, uy, vx, vy);
    }

    /// @notice RFC 9380, 5.2: two field elements, each from 48 bytes of expand_message_xmd.
    function toField(bytes memory message, bytes memory dst) internal pure returns (uint256 u, uint256 v) {
        bytes memory tag = abi.encodePacked(dst, uint8(dst.length));
        // Z_pad is one block of keccak256, 136 bytes; 96 bytes are asked for.
        bytes32 b0 = keccak256(abi.encodePacked(new bytes(136), message, uint16(96), uint8(0), tag));
        bytes32 b1 = keccak256(abi.encodePacked(b0, uint8(1), tag));
        bytes32 b2 = keccak256(abi.encodePacked(b0 ^ b1, uint8(2), tag));
        bytes32 b3 = keccak256(abi.encodePacked(b0 ^ b2, uint8(3), tag));
        // The bytes are b1 b2 b3: u = b1 2^128 + upper half of b2, v = lower half of b2 2^256 + b3.
        u = addmod(mulmod(uint256(b1), 1 << 128, P), uint256(b2) >> 128, P);
        v = addmod(mulmod(uint128(uint256(b2)), type(uint256).max % P + 1, P), uint256(b3), P);
    }

    /// @notice RFC 9380, 6.6.1: the point of G1 that the field element `u` maps to.
    function mapToCurve(uint256 u) internal view returns (uint256 x, uint256 y) {
        uint256 square = mulmod(C1, mulmod(u, u, P), P);
        uint256 plus = addmod(1, square, P);
        uint256 minus = addmod(1, P - square, P);
        // inv0: the inverse, and 0 of 0.
        uint256 inverse = BN254.pow(mulmod(plus, minus, P), P - 2);
        uint256 offset = mulmod(mulmod(mulmod(u, minus, P), inverse, P), C3, P);

        x = addmod(C2, P - offset, P);
        bool found;
        (y, found) = _root(x);
        if (!found) {
            x = addmod(C2, offset, P);
            (y, found) = _root(x);
        }
        if (!found) {
            uint256 ratio = mulmod(mulmod(plus, plus, P), inverse, P);
            x = addmod(1, mulmod(C4, mulmod(ratio, ratio, P), P), P);
            // The product of the three cubics is a square, so this one is where the others are not.
            (y,) = _root(x);
        }
        if (y % 2 != u % 2) y = P - y;
    }

    /// @dev A root of x^3 + 3 where there is one. P = 3 mod 4: a square's root is its power (P + 1) / 4.
    function _root(uint256 x) private view returns (uint256 y, bool found) {
        uint256 square = BN254.cubic(x);
        y = BN254.pow(square, (P + 1) / 4);
        found = mulmod(y, y, P) == square;
    }
}
