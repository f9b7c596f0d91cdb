function Remove-S3RcloneDrive {
    <#
    .SYNOPSIS
    Takes a drive of a data set away from this server, for everybody and for good.

    .DESCRIPTION
    Stops the service that is the drive, removes it, and forgets its settings. The data set itself is not touched, and
    neither is this server's grant: New-S3RcloneDrive makes the drive again. Needs an elevated session.

    .PARAMETER DriveLetter
    The letter of the drive, with or without a colon.

    .PARAMETER BucketName
    The repository of the data set, as its page shows it.

    .EXAMPLE
    Remove-S3RcloneDrive -DriveLetter Z

    Takes the drive Z: away.

    .EXAMPLE
    Remove-S3RcloneDrive -BucketName dataset-ss-9ec7c0b6-a6c6-488c-a856-75d94c86e136

    Takes away whichever drive this repository is.

    .EXAMPLE
    Get-S3RcloneDrive | Remove-S3RcloneDrive -WhatIf

    Says which drives would be taken away, and leaves them.

    .INPUTS
    Objects with a property DriveLetter, as Get-S3RcloneDrive gives them.
    #>
    [CmdletBinding(SupportsShouldProcess = $true, ConfirmImpact = 'Medium', DefaultParameterSetName = 'ByLetter')]
    [OutputType([void])]
    param(
        [Parameter(Mandatory = $true, ParameterSetName = 'ByLetter', ValueFromPipelineByPropertyName = $true)]
        [ValidatePattern('^[D-Zd-z]:?\\?$')]
        [string] $DriveLetter,

        [Parameter(Mandatory = $true, ParameterSetName = 'ByBucket')]
        [ValidatePattern('^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$')]
        [string] $BucketName
    )

    process {
        try {
            Assert-Elevated
            $all = @(Read-DriveRecord)
            if ($PSCmdlet.ParameterSetName -eq 'ByLetter') {
                $letter = $DriveLetter.Substring(0, 1).ToUpperInvariant()
                $asked = "${letter}:"
                $found = @($all | Where-Object -FilterScript { $_.drive_letter -eq $letter })
            }
            else {
                $asked = $BucketName
                $found = @($all | Where-Object -FilterScript { $_.bucket -eq $BucketName })
            }
            if ($found.Count -eq 0) {
                $there = @($all | ForEach-Object -Process { "$($_.drive_letter): is $($_.bucket)" }) -join '; '
                $wayOut = if ($there) { "Drives that it made: $there." } else { 'It has made none on this server.' }
                throw (ConvertTo-DriveError -Id 'DriveNotFound' -Category 'ObjectNotFound' -Target $asked -Message (
                        "$asked is no drive that New-S3RcloneDrive made.") -WayOut $wayOut)
            }
            foreach ($drive in $found) {
                if ($PSCmdlet.ShouldProcess("$($drive.drive_letter): ($($drive.bucket))", 'Remove the drive')) {
                    Dismount-Drive -DriveLetter $drive.drive_letter -Service $drive.service
                }
            }
        }
        catch {
            $PSCmdlet.ThrowTerminatingError($_)
        }
    }
}
