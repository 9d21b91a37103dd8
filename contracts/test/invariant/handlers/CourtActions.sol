// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {MessageHashUtils} from "@openzeppelin/contracts/utils/cryptography/MessageHashUtils.sol";

import {Evidence, ICourt, Stage, Verdict, Vote} from "../../../src/interfaces/ICourt.sol";
import {Assignment, Receipt, Result, Signed} from "../../../src/libraries/Signed.sol";
import {vm} from "../../utils/Vm.sol";
import {World} from "./World.sol";
import {createAssignment} from "../../utils/Receipts.sol";

/// @notice Reports and whole disputes: each call of {advance} carries one a stage further, with random votes and silence.
abstract contract CourtActions is World {
    using Signed for Assignment;
    using Signed for Result;

    enum Kind {
        Dispute,
        MinerReport,
        CoordinatorReport
    }

    /// @dev A case and what it was opened with: all else of its assignment follows from these.
    struct Case {
        uint256 id;
        Kind kind;
        address coordinator;
        address miner;
        uint64 issuedAt;
        bool open;
    }

    uint256 private constant MOST_OPEN = 3;

    Case[] private _cases;
    address[] private _payers;
    mapping(address account => bool) private _hasPaid;
    mapping(uint256 caseId => mapping(uint256 round => mapping(address node => Vote))) private _committed;
    mapping(uint256 caseId => mapping(uint256 round => mapping(address node => Vote))) private _revealed;
    mapping(uint256 caseId => mapping(uint256 round => mapping(address node => bool))) private _fined;
    mapping(uint256 caseId => mapping(uint256 round => mapping(address node => bool))) private _credited;

    /// @dev All whom the court may owe credits: the actors, and operators' accounts that challenged or appealed.
    function allPayers() external view returns (address[] memory) {
        return _payers;
    }

    function openDisputesOf(address node) external view returns (uint256 count) {
        for (uint256 i = 0; i < _cases.length; ++i) {
            if (_cases[i].open && _cases[i].miner == node) ++count;
        }
    }

    // ---- evidence ----

    function _evidence() private pure returns (Evidence memory) {
        return Evidence("[1,2,3]", "{}", "[4,5,6]");
    }

    function _assignment(Case memory case_, address miner) private pure returns (Assignment memory) {
        return createAssignment(
            keccak256(abi.encode("task", case_.id)), case_.coordinator, miner, _evidence(), 1, case_.issuedAt
        );
    }

    function _signed(address node, bytes32 structHash) private view returns (bytes memory) {
        return _sign(_currentKey(node), _digestOf(structHash));
    }

    function _digestOf(bytes32 structHash) private view returns (bytes32) {
        return MessageHashUtils.toTypedDataHash(staking.domainSeparator(), structHash);
    }

    function _challengeCall(Case memory case_) private view returns (bytes memory) {
        Assignment memory assignment = _assignment(case_, case_.miner);
        Result memory result = Result(_digestOf(assignment.hash()), sha256(_evidence().output), 3, 1);
        Receipt memory receipt = Receipt(
            assignment, _signed(case_.coordinator, assignment.hash()), result, _signed(case_.miner, result.hash())
        );
        return abi.encodeCall(court.challenge, (receipt, _evidence()));
    }

    function _reportMinerCall(Case memory case_, uint256 other) private view returns (bytes memory) {
        Assignment memory assignment = _assignment(case_, case_.miner);
        bytes32 digest = _digestOf(assignment.hash());
        Result memory first = Result(digest, sha256("[4]"), 3, 1);
        Result memory second = Result(digest, sha256(abi.encode(other)), 3, 1);
        return abi.encodeCall(
            court.reportMiner,
            (
                assignment,
                _signed(case_.coordinator, assignment.hash()),
                first,
                _signed(case_.miner, first.hash()),
                second,
                _signed(case_.miner, second.hash())
            )
        );
    }

    function _reportCoordinatorCall(Case memory case_, address other) private view returns (bytes memory) {
        Assignment memory first = _assignment(case_, case_.miner);
        Assignment memory second = _assignment(case_, other);
        return abi.encodeCall(
            court.reportCoordinator,
            (first, _signed(case_.coordinator, first.hash()), second, _signed(case_.coordinator, second.hash()))
        );
    }

    function _call(Case memory case_, uint256 seed) private view returns (bytes memory) {
        if (case_.kind == Kind.MinerReport) return _reportMinerCall(case_, seed);
        if (case_.kind == Kind.CoordinatorReport) return _reportCoordinatorCall(case_, address(uint160(seed)));
        return _challengeCall(case_);
    }

    /// @dev Both are there to sign, and the accused has something to lose.
    function _given(uint256 coordinatorSeed, uint256 minerSeed, uint256 ageSeed, Kind kind)
        private
        view
        returns (Case memory case_, bool valid)
    {
        (case_.coordinator, case_.miner) = (_coordinatorOf(coordinatorSeed), _minerOf(minerSeed));
        (case_.kind, case_.id) = (kind, court.caseCount() + 1);
        case_.issuedAt = _now() - uint64(_bound(ageSeed, 0, ageSeed % 2 == 0 ? 4 hours : 2 days));
        (uint256 bondWei, uint256 thawingBondWei) = staking.bondOf(_accused(case_));
        valid = _isRegistered(case_.coordinator) && _isRegistered(case_.miner) && bondWei + thawingBondWei != 0;
    }

    function _accused(Case memory case_) private pure returns (address) {
        return case_.kind == Kind.CoordinatorReport ? case_.coordinator : case_.miner;
    }

    // ---- reports ----

    function report(uint256 coordinatorSeed, uint256 minerSeed, uint256 ageSeed, uint256 whoSeed) external counted {
        // Half a bond is much: seldom.
        if (whoSeed % 3 == 0) return;
        Kind kind = whoSeed % 3 == 1 ? Kind.MinerReport : Kind.CoordinatorReport;
        (Case memory case_, bool valid) = _given(coordinatorSeed, minerSeed, ageSeed, kind);
        if (!valid) return;
        address accused = _accused(case_);
        Standing memory before = _standing(accused);
        uint256 allWei = before.bondWei + before.pools[2].assetsWei;
        bytes memory call_ = _call(case_, whoSeed);
        vm.recordLogs();
        _try(_payer(whoSeed / 3), address(court), 0, call_, bytes4(0));
        uint256 takenWei = _compareSlash(accused, before);
        _mustTake(accused, before, takenWei, allWei * (kind == Kind.MinerReport ? 5_000 : 500) / 10_000);
        _cases.push(case_);
        ++done[msg.sig];
        _repeat(case_, whoSeed);
    }

    /// @dev What verdicts take without the cases, which would be too many: any part of a bond, all of it, nothing.
    function slash(uint256 nodeSeed, uint256 partSeed, uint256 chance) external counted {
        if (chance % 4 != 0) return;
        address node = _node(nodeSeed);
        Standing memory before = _standing(node);
        uint256 allWei = before.bondWei + before.pools[2].assetsWei;
        uint256 amountWei = partSeed % 4 == 0 ? allWei : _bound(partSeed, 0, allWei / 8);
        vm.recordLogs();
        vm.prank(address(court));
        (uint256 takenWei,) = staking.slash(node, amountWei, 0, 0, 0);
        _must(_compareSlash(node, before) == takenWei, "aSlashTakesWhatItSays: answer");
        _mustTake(node, before, takenWei, amountWei);
        ++done[msg.sig];
    }

    /// @dev The price floor may have emptied a queue, and taken more.
    function _mustTake(address node, Standing memory before, uint256 takenWei, uint256 expectedWei) private {
        uint256 allWei = before.bondWei + before.pools[2].assetsWei;
        if (expectedWei > allWei) expectedWei = allWei;
        bool emptied = harness.pools(node)[2].generation != before.pools[2].generation;
        bool exact = emptied ? takenWei >= expectedWei : takenWei == expectedWei;
        _must(exact, "aSlashTakesWhatItSays: amount");
    }

    /// @dev What was settled once must be refused for ever.
    function repeatEvidence(uint256 pickSeed, uint256 whoSeed) external counted {
        if (_cases.length == 0) return;
        Case memory picked = _cases[pickSeed % _cases.length];
        if (_repeat(picked, whoSeed)) ++done[msg.sig];
    }

    function _repeat(Case memory case_, uint256 whoSeed) private returns (bool tried) {
        if (!_isRegistered(case_.coordinator) || !_isRegistered(case_.miner)) return false;
        if (case_.kind == Kind.Dispute && court.getDispute(case_.id).verdict == Verdict.Undecided) return false;
        uint256 bondWei = court.challengeBondWei(case_.miner);
        bytes memory call_ = _call(case_, _mix(whoSeed, 1));
        vm.prank(_payer(whoSeed));
        (bool passed,) = address(court).call{value: case_.kind == Kind.Dispute ? bondWei : 0}(call_);
        _must(!passed, "theSameEvidenceNeverSlashesTwice: accepted");
        return true;
    }

    // ---- a dispute's life ----

    function challenge(uint256 coordinatorSeed, uint256 minerSeed, uint256 ageSeed, uint256 whoSeed) external counted {
        if (_challenge(coordinatorSeed, minerSeed, ageSeed, whoSeed)) ++done[msg.sig];
    }

    function _challenge(uint256 coordinatorSeed, uint256 minerSeed, uint256 ageSeed, uint256 whoSeed)
        internal
        returns (bool)
    {
        (Case memory case_, bool valid) = _given(coordinatorSeed, minerSeed, ageSeed, Kind.Dispute);
        if (!valid || court.getRecord(case_.miner).openDisputes >= MOST_OPEN) return false;
        address payer = _payer(whoSeed);
        uint256 bondWei = court.challengeBondWei(case_.miner) + whoSeed % 3;
        bytes memory call_ = _challengeCall(case_);
        _try(payer, address(court), bondWei, call_, bytes4(0));
        case_.open = true;
        _cases.push(case_);
        return true;
    }

    function advance(uint256 pickSeed, uint256 seed) external {
        // Who has been silent or away would be on no jury.
        if (seed % 4 == 0) _recover(seed);
        uint256 count = _cases.length;
        for (uint256 i = 0; i < count; ++i) {
            Case storage picked = _cases[(i + pickSeed % count) % count];
            if (!picked.open) continue;
            _advance(picked, _mix(seed, i));
            return;
        }
    }

    function _advance(Case storage case_, uint256 seed) internal {
        ++steps;
        uint256 id = case_.id;
        Stage stage = court.getDispute(id).stage;
        if (stage == Stage.Sealing) return _seal(id, seed);
        if (stage == Stage.Committing) return _commitAll(id, seed);
        if (stage == Stage.Revealing) return _revealAllVotes(id, seed);
        if (stage == Stage.Due) return _conclude(case_);
        if (seed % 3 != 0) return _wait(id, Stage.Appealing, seed);
        _appeal(id, seed);
    }

    function _seal(uint256 id, uint256 seed) private {
        // Seldom never.
        if (seed % 32 == 0) return _skip(THAW + 1 hours);
        uint64 round = court.getRound(id, court.getDispute(id).round).randomnessRound;
        if (_now() < round) vm.warp(round);
        court.seal(id, "");
        _checkSeats(id, court.getDispute(id).round);
        ++reached["sealed"];
    }

    /// @dev Each holds floor(x) seats or one more, excluded ones none, and the bonds behind them are all that there are.
    function _checkSeats(uint256 id, uint8 number) private {
        ICourt.RoundView memory round = court.getRound(id, number);
        uint256 size = court.seats(number);
        (uint256 sum, uint256 bondsWei, uint256 holders) = (0, 0, 0);
        for (uint256 i = 0; i < NODES; ++i) {
            (bool readable, uint256 bondWei) = _bondAt(actors[i], round.referenceEpoch);
            // Bond of an epoch long ago: see {ICourt-summon}.
            if (!readable) return;
            uint256 seats = court.getSeat(id, number, actors[i]).seats;
            sum += seats;
            if (_isExcluded(id, number, actors[i])) {
                _must(seats == 0, "seatsSumNearTheSize: an excluded one sits");
                continue;
            }
            if (bondWei == 0) continue;
            ++holders;
            bondsWei += bondWei;
            uint256 whole = size * bondWei / round.eligibleWei;
            _must(seats == whole || seats == whole + 1, "seatsSumNearTheSize: seats");
        }
        _must(bondsWei == round.eligibleWei, "seatsSumNearTheSize: bonds");
        if (holders == 0) return;
        _must(sum < size + holders && size < sum + holders, "seatsSumNearTheSize: sum");
    }

    function _bondAt(address node, uint64 epoch) private view returns (bool readable, uint256 bondWei) {
        try staking.minerBondAt(node, epoch) returns (uint256 found) {
            return (true, found);
        } catch {
            return (false, 0);
        }
    }

    /// @dev Payers' nodes as of now: an operator key belongs to one owner for ever.
    function _isExcluded(uint256 id, uint8 number, address node) private view returns (bool) {
        if (court.getDispute(id).accused == node) return true;
        for (uint8 i = 0; i <= number; ++i) {
            address payer = court.getRound(id, i).payer;
            (address payerNode,) = staking.operatorRecord(payer);
            if (payer == node || payerNode == node) return true;
        }
        return false;
    }

    function _seatsOf(uint256 id, uint8 number, address node) private view returns (uint256) {
        try court.getSeat(id, number, node) returns (ICourt.SeatView memory seat) {
            return seat.seats;
        } catch {
            return 0;
        }
    }

    function _commitAll(uint256 id, uint256 seed) private {
        uint8 number = court.getDispute(id).round;
        // Juries of one mind, silent ones and those of which the least alone judges often enough.
        uint256 temper = (seed >> 8) % 6;
        uint256 least = temper == 3 ? _fewestSeats(id, number) : NODES;
        for (uint256 i = 0; i < NODES; ++i) {
            address node = actors[i];
            if (_seatsOf(id, number, node) == 0 || _committed[id][number][node] != Vote.None) continue;
            uint256 own = _mix(seed, i);
            Vote vote = temper < 2 && own % 8 != 0 ? Vote(1 + temper) : Vote(own % 4);
            if (temper == 2 || temper == 3) vote = i == least ? Vote(1 + own % 2) : Vote.None;
            if (own % 16 == 1) court.summon(id, node);
            if (vote == Vote.None) continue;
            bytes32 commitment = court.commitmentOf(id, number, node, vote, bytes32(id));
            vm.prank(_either(node, own >> 16));
            court.commit(id, node, commitment);
            _committed[id][number][node] = vote;
        }
        _wait(id, Stage.Committing, seed);
        ++reached["committed"];
    }

    function _fewestSeats(uint256 id, uint8 number) private view returns (uint256 least) {
        uint256 fewest = MAX;
        for (uint256 i = 0; i < NODES; ++i) {
            uint256 seats = _seatsOf(id, number, actors[i]);
            if (seats != 0 && seats < fewest) (least, fewest) = (i, seats);
        }
    }

    function _revealAllVotes(uint256 id, uint256 seed) private {
        // A view between two transactions may go back, a transaction's time never does.
        court.pulse();
        if (court.getDispute(id).stage != Stage.Revealing) return;
        uint8 number = court.getDispute(id).round;
        for (uint256 i = 0; i < NODES; ++i) {
            address node = actors[i];
            Vote vote = _committed[id][number][node];
            uint256 own = _mix(seed, 100 + i);
            if (vote == Vote.None || _revealed[id][number][node] != Vote.None || own % 8 == 0) continue;
            vm.prank(_either(node, own >> 16));
            court.reveal(id, node, vote, bytes32(id));
            _revealed[id][number][node] = vote;
        }
        _checkTally(id, number);
        _wait(id, Stage.Revealing, seed);
        ++reached["revealed"];
    }

    function _checkTally(uint256 id, uint8 number) private {
        uint256[4] memory seats;
        for (uint256 i = 0; i < NODES; ++i) {
            Vote vote = _revealed[id][number][actors[i]];
            if (vote != Vote.None) seats[uint256(vote)] += court.getSeat(id, number, actors[i]).seats;
        }
        ICourt.RoundView memory round = court.getRound(id, number);
        bool agrees =
            round.validSeats == seats[1] && round.invalidSeats == seats[2] && round.cannotJudgeSeats == seats[3];
        _must(agrees, "seatsSumNearTheSize: tally");
    }

    /// @dev Until the stage is over: with daemons that pulse, or in silence, which makes its window longer.
    function _wait(uint256 id, Stage stage, uint256 seed) private {
        bool lively = seed % 4 != 1;
        for (uint256 i = 0; i < 32 && court.getDispute(id).stage == stage; ++i) {
            ICourt.RoundView memory round = court.getRound(id, court.getDispute(id).round);
            uint64 endsAt = stage == Stage.Committing
                ? round.commitEndsAt
                : stage == Stage.Revealing ? round.revealEndsAt : round.appealEndsAt;
            vm.warp(lively && _now() + 1 hours < endsAt ? _now() + 1 hours : endsAt);
            if (lively) court.pulse();
        }
    }

    function _conclude(Case storage case_) private {
        uint256 id = case_.id;
        ICourt.RecordView memory record = court.getRecord(case_.miner);
        Standing memory before = _standing(case_.miner);
        vm.recordLogs();
        court.conclude(id);
        uint256 takenWei = _compareSlash(case_.miner, before);
        ICourt.DisputeView memory dispute = court.getDispute(id);
        bool convicted = dispute.stage == Stage.Closed && dispute.verdict == Verdict.Invalid;
        uint256 bps = convicted ? _sentenceBps(record, case_.issuedAt) : 0;
        _mustTake(case_.miner, before, takenWei, dispute.baseWei * bps / 10_000);
        ++reached["concluded"];
        if (dispute.stage != Stage.Closed) return;
        case_.open = false;
        ++reached["closed"];
        if (convicted) ++reached["convicted"];
        _repeat(case_, takenWei);
    }

    /// @dev The steps, as ICourt says them.
    function _sentenceBps(ICourt.RecordView memory record, uint64 issuedAt) private pure returns (uint256) {
        if (record.step == 0) return 1_000;
        if (issuedAt > record.stepAt) return record.step == 1 ? 5_000 : 10_000;
        if (record.stepBps >= 3_000) return 0;
        return 3_000 - record.stepBps < 1_000 ? 3_000 - record.stepBps : 1_000;
    }

    function _appeal(uint256 id, uint256 seed) private {
        Verdict verdict = court.getDispute(id).verdict;
        Vote side = verdict == Verdict.Valid
            ? Vote.Invalid
            : verdict == Verdict.Invalid ? Vote.Valid : Vote(1 + (seed >> 16) % 2);
        address payer = _payer(seed >> 32);
        uint256 bondWei = court.appealBondWei(id);
        vm.prank(payer);
        court.appeal{value: bondWei}(id, side);
        ++reached["appealed"];
    }

    // ---- jurors ----

    function fineJurors(uint256 pickSeed) external counted {
        // Of the last few: fines end a thaw after the round.
        uint256 count = _cases.length;
        for (uint256 i = pickSeed % 8; i < count; ++i) {
            Case memory picked = _cases[count - 1 - i];
            if (picked.kind != Kind.Dispute) continue;
            if (_fineAll(picked.id)) ++done[msg.sig];
            return;
        }
    }

    function _fineAll(uint256 id) private returns (bool any) {
        uint8 last = court.getDispute(id).round;
        for (uint8 number = 0; number <= last; ++number) {
            for (uint256 i = 0; i < NODES; ++i) {
                if (_fine(id, number, actors[i])) any = true;
            }
        }
    }

    function _fine(uint256 id, uint8 number, address node) private returns (bool fined) {
        uint256 seats = _seatsOf(id, number, node);
        if (seats == 0) return false;
        Standing memory before = _standing(node);
        bytes memory call_ = abi.encodeCall(court.fine, (id, number, node));
        vm.recordLogs();
        fined = _try(address(this), address(court), 0, call_, ICourt.NotFinable.selector);
        uint256 takenWei = _compareSlash(node, before);
        if (!fined) return false;
        _must(!_fined[id][number][node], "aJurorIsFinedAtMostOnce: again");
        _fined[id][number][node] = true;
        _must(_deservesFine(id, number, node), "aJurorIsFinedAtMostOnce: for nothing");
        _mustTake(node, before, takenWei, _fineWei(id, number, seats));
    }

    function _deservesFine(uint256 id, uint8 number, address node) private view returns (bool) {
        Vote vote = _revealed[id][number][node];
        ICourt.DisputeView memory dispute = court.getDispute(id);
        if (vote == Vote.None || dispute.stage != Stage.Closed) return vote == Vote.None;
        return dispute.verdict == Verdict.Valid
            ? vote == Vote.Invalid
            : dispute.verdict == Verdict.Invalid && vote == Vote.Valid;
    }

    function _fineWei(uint256 id, uint8 number, uint256 seats) private view returns (uint256) {
        uint256 seatWei = court.getRound(id, number).eligibleWei / court.seats(number);
        if (seatWei > 20_000 ether) seatWei = 20_000 ether;
        return seats * seatWei * (number == 0 ? 100 : number == 1 ? 500 : 2_000) / 10_000;
    }

    function creditJurors(uint256 pickSeed) external counted {
        if (_cases.length == 0) return;
        Case memory picked = _cases[pickSeed % _cases.length];
        if (picked.kind == Kind.Dispute && !picked.open && _creditAll(picked.id)) ++done[msg.sig];
    }

    function _creditAll(uint256 id) private returns (bool any) {
        for (uint8 number = 0; number < 3; ++number) {
            for (uint256 i = 0; i < NODES; ++i) {
                address node = actors[i];
                bytes memory call_ = abi.encodeCall(court.creditJuror, (id, number, node));
                if (!_try(address(this), address(court), 0, call_, ICourt.NotPayable.selector)) continue;
                // At once, while the pot still holds what the others have to get.
                (bool again,) = address(court).call(call_);
                _must(!again && !_credited[id][number][node], "aJurorIsPaidAtMostOnce: again");
                if (again) return true;
                Vote vote = _revealed[id][number][node];
                _must(vote == Vote.Valid || vote == Vote.Invalid, "aJurorIsPaidAtMostOnce: for nothing");
                _credited[id][number][node] = any = true;
            }
        }
    }

    // ---- what is owed ----

    function withdrawCredit(uint256 pickSeed) external counted {
        if (_payers.length != 0 && _withdrawCreditOf(_payers[pickSeed % _payers.length])) ++done[msg.sig];
        else if (_withdrawCreditOf(_actor(pickSeed))) ++done[msg.sig];
    }

    function _withdrawCreditOf(address account) private returns (bool) {
        uint256 owedWei = court.creditOf(account);
        if (owedWei == 0) return false;
        uint256 beforeWei = account.balance;
        vm.prank(account);
        court.withdraw(payable(account));
        _must(account.balance - beforeWei == owedWei, "courtBalanceIsPotsCreditsAndCuts: paid");
        return true;
    }

    function withdrawCut(uint256 pickSeed) external counted {
        if (_cases.length == 0) return;
        if (_withdrawCutOf(_cases[pickSeed % _cases.length].id)) ++done[msg.sig];
    }

    function _withdrawCutOf(uint256 id) private returns (bool paid) {
        (address reporter, uint256 amountWei, uint64 releaseAt) = court.cutOf(id);
        if (amountWei == 0) return false;
        bool early = _now() < releaseAt;
        bytes memory call_ = abi.encodeCall(court.withdrawCut, (id, payable(reporter)));
        paid = _try(reporter, address(court), 0, call_, early ? ICourt.CreditNotReleased.selector : bytes4(0));
        _must(!(early && paid), "nothingLeavesBeforeItsTime: a cut");
    }

    /// @dev Any actor, or sometimes a node's operator from its own account.
    function _payer(uint256 seed) private returns (address payer) {
        payer = _actor(seed / 8);
        if (seed % 8 == 0) {
            payer = operators[(seed / 8) % operators.length].operator;
            if (payer.balance < 100_000 ether) vm.deal(payer, 100_000 ether);
        }
        if (_hasPaid[payer]) return payer;
        _hasPaid[payer] = true;
        _payers.push(payer);
    }

    // ---- the end ----

    function _closeAll(uint256 seed) internal {
        for (uint256 i = 0; i < _cases.length; ++i) {
            for (uint256 k = 0; k < 40 && _cases[i].open; ++k) {
                _advance(_cases[i], _mix(seed, i * 40 + k));
            }
            _must(!_cases[i].open, "everyExitCanBeWithdrawn: a dispute never ends");
            if (_cases[i].kind == Kind.Dispute) _creditAll(_cases[i].id);
        }
    }

    function _withdrawCredits() internal {
        for (uint256 i = 0; i < _payers.length; ++i) {
            _withdrawCreditOf(_payers[i]);
        }
        for (uint256 i = 0; i < ACTORS; ++i) {
            _withdrawCreditOf(actors[i]);
        }
    }

    function _withdrawCuts() internal {
        for (uint256 i = 0; i < _cases.length; ++i) {
            _withdrawCutOf(_cases[i].id);
        }
    }
}
