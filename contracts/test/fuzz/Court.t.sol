// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";

import {CourtParameters, ICourt, Stage, Verdict, Vote} from "../../src/interfaces/ICourt.sol";
import {Seats} from "../../src/libraries/Seats.sol";
import {CourtBase} from "../utils/CourtBase.sol";
import {vm} from "../utils/Vm.sol";

/// @notice The seats' arithmetic over all bonds, and the money of whole disputes against a second bookkeeping.
contract CourtFuzz is CourtBase {
    uint256 private constant MOST = type(uint96).max;
    /// @dev Divides by no jury.
    uint256 private constant ODD_FEE = 1 ether + 7;

    function _parameters() internal pure override returns (CourtParameters memory parameters) {
        parameters = super._parameters();
        parameters.jurorFeeWei = ODD_FEE;
    }

    // ---- seats ----

    /// @dev Seats are floor(x) or one more, and more exactly if the draw is below the fraction, to the last of 256 bits.
    function testFuzz_seatsAreLinear(uint256 size, uint256 bondWei, uint256 eligibleWei, uint256 draw) public pure {
        size = _bound(size, 1, 65_535);
        eligibleWei = _bound(eligibleWei, 1, MOST);
        bondWei = _bound(bondWei, 1, eligibleWei);
        uint256 rest = size * bondWei % eligibleWei;
        // ceil(rest x 2^256 / S) by way of 2^255, which fits.
        uint256 half = Math.mulDiv(rest, 2 ** 255, eligibleWei);
        uint256 left = mulmod(rest, 2 ** 255, eligibleWei) * 2;
        uint256 limit = half * 2 + left / eligibleWei + (left % eligibleWei == 0 ? 0 : 1);
        _assertDraw(size, bondWei, eligibleWei, draw, draw < limit);
        if (limit == 0) return;
        _assertDraw(size, bondWei, eligibleWei, limit - 1, true);
        _assertDraw(size, bondWei, eligibleWei, limit, false);
    }

    function _assertDraw(uint256 size, uint256 bondWei, uint256 eligibleWei, uint256 draw, bool more) private pure {
        uint256 expected = size * bondWei / eligibleWei + (more ? 1 : 0);
        vm.assertEq(Seats.held(size, bondWei, eligibleWei, draw), expected, "seats");
    }

    function testFuzz_noBondNoSeat(uint256 size, uint256 eligibleWei, uint256 draw) public pure {
        vm.assertEq(Seats.held(size, 0, eligibleWei, draw), 0, "seats");
    }

    /// @dev Each holder is off by less than a seat, so all of them together by less than one each.
    function testFuzz_theSumIsCloseToTheSize(uint256 seed, uint256 size, uint256 holders) public pure {
        size = _bound(size, 1, 65_535);
        holders = _bound(holders, 1, 40);
        uint256[] memory bondsWei = new uint256[](holders);
        uint256 allWei;
        for (uint256 i = 0; i < holders; ++i) {
            bondsWei[i] = 20_000 ether + uint256(keccak256(abi.encode(seed, i))) % 5_000_000 ether;
            allWei += bondsWei[i];
        }
        uint256 least;
        uint256 sum;
        for (uint256 i = 0; i < holders; ++i) {
            least += Seats.held(size, bondsWei[i], allWei, type(uint256).max);
            sum += Seats.held(size, bondsWei[i], allWei, uint256(keccak256(abi.encode(i, seed))));
        }
        vm.assertLe(least, size, "floors fit");
        vm.assertLt(size - least, holders, "fractions make up the rest");
        vm.assertLe(least, sum, "at least the floors");
        vm.assertLe(sum, least + holders, "at most one more each");
    }

    /// @dev Whole seats of parts are never more than of the whole, and the chances for one more make up the difference: in
    /// units of 1 / S the expectations are equal, exactly.
    function testFuzz_splittingChangesNoExpectation(uint256 size, uint256 bondWei, uint256 cut, uint256 eligibleWei)
        public
        pure
    {
        size = _bound(size, 1, 65_535);
        eligibleWei = _bound(eligibleWei, 2, MOST);
        bondWei = _bound(bondWei, 2, eligibleWei);
        cut = _bound(cut, 1, bondWei - 1);
        vm.assertEq(
            _expected(size, cut, eligibleWei) + _expected(size, bondWei - cut, eligibleWei),
            _expected(size, bondWei, eligibleWei),
            "expected seats"
        );
    }

    /// @dev S x (floor + chance), the chance found by bisection on the draw: no formula of the library's is used.
    function _expected(uint256 size, uint256 bondWei, uint256 eligibleWei) private pure returns (uint256) {
        uint256 floor = Seats.held(size, bondWei, eligibleWei, type(uint256).max);
        uint256 low;
        uint256 high = type(uint256).max;
        while (low < high) {
            uint256 middle = low + (high - low) / 2;
            if (Seats.held(size, bondWei, eligibleWei, middle) > floor) low = middle + 1;
            else high = middle;
        }
        // `low` draws of 2^256 win: that many S-ths, rounded up by less than one of them.
        (uint256 chance,) = Math.mul512(low, eligibleWei);
        return floor * eligibleWei + chance;
    }

    function _bound(uint256 value, uint256 low, uint256 high) private pure returns (uint256) {
        return value >= low && value <= high ? value : low + value % (high - low + 1);
    }

    // ---- money ----

    struct Paid {
        address payer;
        Vote side;
        uint256 potWei;
        bool handedOn;
    }

    struct Played {
        uint256 caseId;
        uint256 baseWei;
        uint256 feeWei;
        uint256 rounds;
    }

    uint256 private _seed;
    mapping(uint256 caseId => mapping(uint256 round => Paid)) private _paid;
    mapping(uint256 caseId => mapping(uint256 round => mapping(address juror => Vote))) private _votes;
    /// @dev The second bookkeeping: what each account should be credited.
    mapping(address account => uint256) private _dueWei;
    uint256 private _cutsWei;

    /// @dev Up to three disputes at once, each with random votes, silence, missed quorums, appeals and reports in between. To
    /// the wei: everybody is credited what ICourt says, the court holds what it owes, everything can be withdrawn, nobody
    /// is fined twice. One run is a few hundred calls: deep runs have no more of them.
    /// forge-config: deep.fuzz.runs = 5000
    function testFuzz_moneyOfDisputes(uint256 seed) public {
        _seed = seed;
        for (uint256 i = 0; i < JURORS; ++i) {
            staking.setBond(jurors[i], 20_001 ether + _random(400_000 ether));
        }
        Played[] memory cases = new Played[](1 + _random(3));
        for (uint256 i = 0; i < cases.length; ++i) {
            cases[i] = _open(i);
        }
        for (uint256 i = 0; i < cases.length; ++i) {
            _play(cases[i]);
        }
        for (uint256 i = 0; i < cases.length; ++i) {
            _fineAll(cases[i]);
            _creditAll(cases[i]);
        }
        _withdrawAll(cases);
    }

    function _random(uint256 below) private returns (uint256) {
        _seed = uint256(keccak256(abi.encode(_seed)));
        return _seed % below;
    }

    function _open(uint256 number) private returns (Played memory played) {
        played.feeWei = ODD_FEE * 2 ** number;
        played.baseWei = _bondOf(miner);
        played.caseId = _challenge(number);
        _paid[played.caseId][0] = Paid(challenger, Vote.Invalid, 7 * played.feeWei, false);
        _assertSolvent();
    }

    function _play(Played memory played) private {
        uint256 caseId = played.caseId;
        for (uint8 round = 0;; ++round) {
            // One in 16 is never sealed, nor what waited for it; one in 16 of the accused is nearly gone before the verdict.
            if (court.getDispute(caseId).stage == Stage.Due || _random(16) == 0) {
                if (court.getDispute(caseId).stage != Stage.Due) _skip(SEAL + THAW + 1);
                court.conclude(caseId);
                break;
            }
            if (_random(16) == 0) _slashElsewhere();
            _playRound(caseId, round);
            court.conclude(caseId);
            _assertSolvent();
            Stage stage = court.getDispute(caseId).stage;
            if (stage == Stage.Closed) break;
            if (stage == Stage.Sealing) {
                _expectHandedOn(caseId, round);
            } else if (_random(3) == 0) {
                _skip(APPEAL);
                uint256 leftWei = _bondOf(miner);
                court.conclude(caseId);
                played.rounds = round + 1;
                return _expectSettled(played, leftWei);
            } else {
                _expectAppeal(played, round);
            }
        }
        played.rounds = _round(caseId) + 1;
        // Closed by the last tally, or without a seed: nothing was slashed but by this case.
        _expectSettled(played, _leftBefore);
    }

    uint256 private _leftBefore;

    function _slashElsewhere() private {
        uint256 leftWei = _bondOf(miner);
        if (leftWei < 10) return;
        vm.prank(address(court));
        staking.slash(miner, leftWei - _random(10), 0, 0, 999);
    }

    function _playRound(uint256 caseId, uint8 round) private {
        _seal(caseId);
        // Silence, and one-sided juries, often enough.
        uint256 temper = _random(5);
        for (uint256 i = 0; i < JURORS; ++i) {
            Vote vote = temper == 0 ? Vote.None : temper < 3 ? Vote(temper) : Vote(_random(4));
            if (_random(8) == 0) vote = Vote(_random(4));
            if (court.getSeat(caseId, round, jurors[i]).seats == 0) vote = Vote.None;
            _votes[caseId][round][jurors[i]] = vote;
            if (vote != Vote.None) _commit(caseId, jurors[i], vote);
        }
        _skip(COMMIT);
        for (uint256 i = 0; i < JURORS; ++i) {
            Vote vote = _votes[caseId][round][jurors[i]];
            if (vote != Vote.None) _reveal(caseId, jurors[i], vote);
        }
        _skip(REVEAL);
        _leftBefore = _bondOf(miner);
    }

    function _seatsOf(uint256 caseId, uint8 round, Vote vote) private view returns (uint256 sum) {
        for (uint256 i = 0; i < JURORS; ++i) {
            if (_votes[caseId][round][jurors[i]] == vote) sum += court.getSeat(caseId, round, jurors[i]).seats;
        }
    }

    function _expectHandedOn(uint256 caseId, uint8 round) private {
        Paid storage paid = _paid[caseId][round];
        uint256 judged = _seatsOf(caseId, round, Vote.Valid) + _seatsOf(caseId, round, Vote.Invalid);
        vm.assertLt(3 * (judged + _seatsOf(caseId, round, Vote.CannotJudge)), court.seats(round), "no quorum");
        uint256 carriedWei = paid.potWei - paid.potWei / court.seats(round) * judged;
        paid.handedOn = true;
        _paid[caseId][round + 1] = Paid(paid.payer, paid.side, carriedWei, false);
        vm.assertEq(court.getRound(caseId, round + 1).potWei, carriedWei, "carried");
        vm.assertEq(court.getRound(caseId, round).potWei, paid.potWei - carriedWei, "kept");
    }

    function _expectAppeal(Played memory played, uint8 round) private {
        Verdict verdict = court.getDispute(played.caseId).verdict;
        Vote side =
            verdict == Verdict.Valid ? Vote.Invalid : verdict == Verdict.Invalid ? Vote.Valid : Vote(1 + _random(2));
        address account = side == Vote.Valid ? appellant : stranger;
        uint256 bondWei = court.seats(round + 1) * played.feeWei * 2 ** (round + 1);
        uint256 excessWei = _random(3);
        vm.prank(account);
        court.appeal{value: bondWei + excessWei}(played.caseId, side);
        _dueWei[account] += excessWei;
        _paid[played.caseId][round + 1] = Paid(account, side, bondWei, false);
        _assertSolvent();
    }

    /// @dev ICourt's "Money", once more.
    function _expectSettled(Played memory played, uint256 leftWei) private {
        uint256 caseId = played.caseId;
        Verdict verdict = court.getDispute(caseId).verdict;
        uint256[3] memory toJurorsWei;
        uint256 fromLosersWei;
        uint256 owedWei;
        for (uint8 i = 0; i < played.rounds; ++i) {
            Paid memory paid = _paid[caseId][i];
            toJurorsWei[i] = _seatPayWei(caseId, i, verdict) * _coherentSeats(caseId, i, verdict);
            uint256 restWei = (paid.handedOn ? _keptWei(caseId, i) : paid.potWei) - toJurorsWei[i];
            if (verdict == Verdict.Undecided) {
                _dueWei[paid.payer] += restWei;
            } else if (uint8(paid.side) != uint8(verdict)) {
                fromLosersWei += restWei;
            } else {
                _dueWei[paid.payer] += restWei;
                owedWei += toJurorsWei[i];
            }
        }
        uint256 refillWei = fromLosersWei < owedWei ? fromLosersWei : owedWei;
        if (verdict == Verdict.Invalid) refillWei += _expectSlash(played, leftWei, owedWei - refillWei);
        if (verdict != Verdict.Undecided) {
            for (uint8 i = 0; i < played.rounds; ++i) {
                if (uint8(_paid[caseId][i].side) != uint8(verdict)) continue;
                uint256 backWei = toJurorsWei[i] < refillWei ? toJurorsWei[i] : refillWei;
                refillWei -= backWei;
                _dueWei[_paid[caseId][i].payer] += backWei;
            }
        }
        vm.assertEq(refillWei, 0, "no refill is left over");
        vm.assertEq(court.creditOf(challenger), _dueWei[challenger], "challenger");
        vm.assertEq(court.creditOf(appellant), _dueWei[appellant], "appellant for valid");
        vm.assertEq(court.creditOf(stranger), _dueWei[stranger], "appellant for invalid");
        _assertSolvent();
    }

    /// @dev The verdict's part of the base, at most what was there: first the refill, then a quarter for the challenger.
    function _expectSlash(Played memory played, uint256 leftWei, uint256 refillWei) private returns (uint256) {
        // All were issued before the first verdict: 10 % each, of which no more than three can be.
        uint256 takenWei = played.baseWei / 10;
        if (takenWei > leftWei) takenWei = leftWei;
        vm.assertEq(_bondOf(miner), leftWei - takenWei, "slashed");
        if (refillWei > takenWei) refillWei = takenWei;
        (, uint256 cutWei,) = court.cutOf(played.caseId);
        vm.assertEq(cutWei, (takenWei - refillWei) / 4, "cut");
        _cutsWei += cutWei;
        return refillWei;
    }

    function _coherentSeats(uint256 caseId, uint8 round, Verdict verdict) private view returns (uint256) {
        if (verdict != Verdict.Undecided) return _seatsOf(caseId, round, Vote(uint8(verdict)));
        return _seatsOf(caseId, round, Vote.Valid) + _seatsOf(caseId, round, Vote.Invalid);
    }

    function _keptWei(uint256 caseId, uint8 round) private view returns (uint256) {
        uint256 judged = _seatsOf(caseId, round, Vote.Valid) + _seatsOf(caseId, round, Vote.Invalid);
        return _paid[caseId][round].potWei / court.seats(round) * judged;
    }

    function _seatPayWei(uint256 caseId, uint8 round, Verdict verdict) private view returns (uint256) {
        Paid memory paid = _paid[caseId][round];
        uint256 among = court.seats(round);
        uint256 coherent = _coherentSeats(caseId, round, verdict);
        return paid.potWei / (!paid.handedOn && coherent > among ? coherent : among);
    }

    /// @dev Everybody whom anything can be held against, once; then nobody.
    function _fineAll(Played memory played) private {
        Verdict verdict = court.getDispute(played.caseId).verdict;
        for (uint8 round = 0; round < played.rounds; ++round) {
            bool sat = court.getRound(played.caseId, round).seed != 0;
            for (uint256 i = 0; i < JURORS; ++i) {
                uint256 held = court.getSeat(played.caseId, round, jurors[i]).seats;
                Vote vote = _votes[played.caseId][round][jurors[i]];
                bool overruled = (vote == Vote.Valid && verdict == Verdict.Invalid)
                    || (vote == Vote.Invalid && verdict == Verdict.Valid);
                bool inTime = vm.getBlockTimestamp() <= court.getRound(played.caseId, round).revealEndsAt + THAW;
                uint256 before = _bondOf(jurors[i]);
                if (sat && held != 0 && inTime && (vote == Vote.None || overruled)) {
                    uint256 finedWei = court.fine(played.caseId, round, jurors[i]);
                    vm.assertTrue(finedWei != 0 || before == 0, "fined");
                    vm.assertEq(before - _bondOf(jurors[i]), finedWei, "by that");
                    before -= finedWei;
                }
                (bool again,) = address(court).call(abi.encodeCall(court.fine, (played.caseId, round, jurors[i])));
                vm.assertFalse(again, "fined twice, or for nothing");
                vm.assertEq(_bondOf(jurors[i]), before, "bond");
            }
        }
        _assertSolvent();
    }

    function _creditAll(Played memory played) private {
        Verdict verdict = court.getDispute(played.caseId).verdict;
        for (uint8 round = 0; round < played.rounds; ++round) {
            uint256 payWei = _seatPayWei(played.caseId, round, verdict);
            for (uint256 i = 0; i < JURORS; ++i) {
                Vote vote = _votes[played.caseId][round][jurors[i]];
                if (verdict == Verdict.Undecided
                        ? vote == Vote.Valid || vote == Vote.Invalid
                        : uint8(vote) == uint8(verdict)) {
                    uint256 amountWei = court.creditJuror(played.caseId, round, jurors[i]);
                    uint256 held = court.getSeat(played.caseId, round, jurors[i]).seats;
                    vm.assertEq(amountWei, held * payWei, "pay");
                }
                (bool again,) =
                    address(court).call(abi.encodeCall(court.creditJuror, (played.caseId, round, jurors[i])));
                vm.assertFalse(again, "paid twice, or for nothing");
            }
            vm.assertEq(court.getRound(played.caseId, round).potWei, 0, "the pot is empty");
        }
        _assertSolvent();
    }

    function _withdrawAll(Played[] memory cases) private {
        for (uint256 i = 0; i < JURORS; ++i) {
            _withdraw(jurors[i]);
        }
        _withdraw(challenger);
        _withdraw(appellant);
        _withdraw(stranger);
        vm.assertEq(address(court).balance, _cutsWei, "only cuts are left");
        _skip(THAW);
        for (uint256 i = 0; i < cases.length; ++i) {
            (address reporter, uint256 cutWei,) = court.cutOf(cases[i].caseId);
            if (cutWei == 0) continue;
            vm.prank(reporter);
            court.withdrawCut(cases[i].caseId, payable(reporter));
        }
        vm.assertEq(address(court).balance, 0, "nothing is left");
        vm.assertEq(uint256(court.getRecord(miner).openDisputes), 0, "open disputes");
        vm.assertEq(court.getRecord(miner).frozenWei, 0, "frozen");
    }

    function _withdraw(address account) private {
        uint256 dueWei = court.creditOf(account);
        if (dueWei == 0) return;
        vm.prank(account);
        vm.assertEq(court.withdraw(payable(account)), dueWei, "all of it");
    }
}
